// Votes for one of several classes.
#pragma once

#include <cstddef>

#include "both.h"

namespace spinert {

// What is asked: probabilities [slices, classes]; and answered: labels [groups], counts [groups, classes].
struct SliceVotes {
    const float* probabilities;
    size_t classes;
    int64_t threshold;
    int32_t *labels, *counts;
};

// The class with the highest score, the first of equals; -1 where one is nan.
SPINERT_BOTH int64_t class_of(const float* scores, size_t classes) {
    size_t best = 0;
    for (size_t k = 0; k < classes; ++k) {
        if (scores[k] != scores[k]) return -1;
        best = scores[k] > scores[best] ? k : best;
    }
    return static_cast<int64_t>(best);
}

// The class above 0 with most votes, the first of equals, if these are more than `threshold`; else 0.
SPINERT_BOTH int32_t winner(const int32_t* counts, size_t classes, int64_t threshold) {
    int64_t most = threshold;
    size_t best = 0;
    for (size_t k = 1; k < classes; ++k) {
        if (counts[k] <= most) continue;
        most = counts[k];
        best = k;
    }
    return static_cast<int32_t>(best);
}

}  // namespace spinert
