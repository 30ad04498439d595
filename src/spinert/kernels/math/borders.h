// Points between the two borders of a shape, a left and a right one in each row.
#pragma once

#include "elementary.h"

namespace spinert {

// The row whose point of border `to` (0 left, 1 right) is nearest to the point of border `from` in `row`: of equals the
// one of the nearer row, then the upper. borders [rows, 2], nan in rows without. The search ends where no further row
// can hold a nearer point; it begins with the row itself, which has both points or none.
SPINERT_BOTH int64_t nearest_row(const double* borders, int64_t rows, int64_t row, int from, int to) {
    const double x = borders[2 * row + from];
    const double across = borders[2 * row + to] - x;
    double least = across * across;
    int64_t nearest = row;
    for (int64_t step = 1; step < rows; ++step) {
        const double down = static_cast<double>(step) * static_cast<double>(step);
        if (!(down < least)) break;
        for (int side = -1; side <= 1; side += 2) {
            const int64_t other = row + side * step;
            if (other < 0 || other >= rows) continue;
            const double gap = borders[2 * other + to] - x;
            const double distance = gap * gap + down;
            if (distance < least) {  // false for nan
                least = distance;
                nearest = other;
            }
        }
    }
    return nearest;
}

// Into point [2] (x, y), between the point of border `from` in `row` and the nearest one of the other border.
SPINERT_BOTH void write_midpoint(const double* borders, int64_t rows, int64_t row, int from, double* point) {
    const int64_t other = nearest_row(borders, rows, row, from, 1 - from);
    const double x = borders[2 * row + from], across = borders[2 * other + 1 - from];
    const bool found = x - x == 0.0 && across - across == 0.0;
    point[0] = found ? 0.5 * (x + across) : not_a_number();
    point[1] = found ? 0.5 * static_cast<double>(row + other) : not_a_number();
}

}  // namespace spinert
