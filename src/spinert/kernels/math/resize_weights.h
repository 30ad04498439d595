// Which source pixels an output pixel of a resize is made of, and how much of each.
//
// An axis that shrinks: the share of each source pixel in the span of an output pixel. In units of 1 / outputs of a
// source pixel, output i spans i * inputs .. (i + 1) * inputs and source j spans j * outputs .. (j + 1) * outputs, all
// whole numbers. One that grows: the two source pixels around the centre (i + 1/2) * inputs / outputs - 1/2, clamped at
// the edges, in units of 1 / (2 * outputs).
#pragma once

#include "both.h"

namespace spinert {

// How many source pixels there are at most for an output pixel, in one stretch.
SPINERT_BOTH int resize_taps(int inputs, int outputs) {
    if (outputs > inputs) return 2;
    return inputs / outputs + (inputs % outputs != 0) + (inputs % outputs != 0);
}

// The centre of output i of an axis that grows.
SPINERT_BOTH int64_t resize_centre(int64_t i, int64_t inputs, int64_t outputs) {
    const int64_t centre = (2 * i + 1) * inputs - outputs, last = (inputs - 1) * 2 * outputs;
    return centre < 0 ? 0 : centre > last ? last : centre;
}

// The first source pixel of output i.
SPINERT_BOTH int resize_first(int64_t i, int64_t inputs, int64_t outputs) {
    if (outputs <= inputs) return static_cast<int>(i * inputs / outputs);
    return static_cast<int>(resize_centre(i, inputs, outputs) / (2 * outputs));
}

// The weight of the source pixel `tap` places after the first; 0 for one beyond the span, and so beyond the source.
SPINERT_BOTH float resize_weight(int64_t i, int tap, int64_t inputs, int64_t outputs) {
    if (outputs <= inputs) {
        const int64_t begin = i * inputs, end = begin + inputs;
        const int64_t first = (begin / outputs + tap) * outputs, last = first + outputs;
        const int64_t overlap = (last < end ? last : end) - (first > begin ? first : begin);
        return overlap > 0 ? static_cast<float>(static_cast<double>(overlap) / static_cast<double>(inputs)) : 0.0f;
    }
    const int64_t into = resize_centre(i, inputs, outputs) % (2 * outputs);
    const double step = static_cast<double>(into) / static_cast<double>(2 * outputs);
    return static_cast<float>(tap == 0 ? 1.0 - step : tap == 1 ? step : 0.0);
}

}  // namespace spinert
