// The line in the middle of a mask, from its left and right border.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace spinert {

// mask [rows, columns] -> first and last column that is not 0 of each row, borders [rows, 2], and their middle [rows];
// nan in a row without.
struct MaskImage {
    const uint8_t* values;
    size_t rows, columns;
};
void mask_midline(MaskImage mask, double* midline, double* borders, int threads);

// borders [rows, 2] -> middles [2, rows, 2] (x, y) between each left border point and the nearest right one, and between
// each right one and the nearest left one; nan in a row without.
void border_midpoints(const double* borders, size_t rows, double* midpoints, int threads);

namespace midlines {

struct Kernels {
    // some of the rows
    void (*midline)(MaskImage mask, double* midline, double* borders);
    void (*midpoints)(const double* borders, size_t rows, size_t begin, size_t end, double* midpoints);
};
SPINERT_TABLES

}  // namespace midlines
}  // namespace spinert
