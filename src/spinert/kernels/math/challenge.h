// The AASCE 2019 challenge's rule: three angles between the mid-lines of 17 vertebrae.
#pragma once

#include "spine.h"

namespace spinert {

constexpr int kChallengeVertebrae = 17;
// The challenge rounds cosines to 8 decimals: here they are whole numbers, so that equal angles are equal.
constexpr double kCosineSteps = 1e8;

struct ChallengeAngles {
    double degrees[3];
    int upper, lower;  // end vertebrae; -1 and nan where there is no angle
};

// Of the angles between the vertebrae, in steps.
struct ChallengeCosines {
    double steps[kChallengeVertebrae][kChallengeVertebrae];
};

struct Tilt {
    double x, y, length;
};
SPINERT_BOTH Tilt tilt_of(const double* vertebra) {
    const double x = tilt(vertebra, 0), y = tilt(vertebra, 1);
    return {x, y, square_root(x * x + y * y)};
}

// nan where a vertebra has no width or a value that is not finite.
SPINERT_BOTH double cosine_steps(const Tilt& a, const Tilt& b) {
    return rounded((a.x * b.x + a.y * b.y) / (a.length * b.length) * kCosineSteps);
}

SPINERT_BOTH double degrees_of_steps(double steps) {
    const double cosine = clamped(steps / kCosineSteps, -1.0, 1.0);
    return arc_tangent(square_root((1.0 - cosine) * (1.0 + cosine)), cosine) * kDegreesPerRadian;
}

// First place of the least of row[begin .. end]: of the largest angle.
SPINERT_BOTH int first_least(const double* row, int begin, int end) {
    int least = begin;
    for (int i = begin + 1; i <= end; ++i) least = row[i] < row[least] ? i : least;
    return least;
}

// Middle of an end-plate, 0 .. 33 from head to foot.
SPINERT_BOTH double plate_middle(const double* corners, int plate, int axis) {
    const double* const left = corners + 4 * plate;
    return 0.5 * (left[axis] + left[2 + axis]);
}

// End-plates on both sides of the line from first to last; those of the last vertebra do not count. Where first and
// last share their x or their y, the challenge divides 0 by 0 and takes that for an S.
SPINERT_BOTH bool is_s_shaped(const double* corners) {
    const int last = 2 * kChallengeVertebrae - 1;
    const double end_x = plate_middle(corners, last, 0), end_y = plate_middle(corners, last, 1);
    const double span_x = plate_middle(corners, 0, 0) - end_x, span_y = plate_middle(corners, 0, 1) - end_y;
    if (span_x == 0.0 || span_y == 0.0) return true;
    bool left = false, right = false;
    for (int plate = 0; plate < last - 1; ++plate) {
        const double aside = (plate_middle(corners, plate, 1) - end_y) / span_y -
                             (plate_middle(corners, plate, 0) - end_x) / span_x;
        left |= aside > 0.0;
        right |= aside < 0.0;
    }
    return left && right;
}

SPINERT_BOTH ChallengeAngles challenge_angles_of(const double* corners, const ChallengeCosines& cosines,
                                                 double image_height) {
    const int last = kChallengeVertebrae - 1;
    double doubt = image_height - image_height;
    for (int v = 0; v <= last; ++v) doubt += cosines.steps[v][v] - cosines.steps[v][v];
    if (doubt != 0.0 || !(0.0 < image_height)) return {{not_a_number(), not_a_number(), not_a_number()}, -1, -1};
    int upper = 0, lower = 0;
    for (int i = 0; i <= last; ++i) {
        const int turned = first_least(cosines.steps[i], 0, last);
        if (i == 0 || cosines.steps[i][turned] < cosines.steps[upper][lower]) {
            upper = i;
            lower = turned;
        }
    }
    double second = cosines.steps[0][upper], third = cosines.steps[last][lower];
    if (is_s_shaped(corners)) {
        const int most_turned = first_least(cosines.steps[upper], 0, upper);
        second = cosines.steps[upper][most_turned];
        // lower end-plates of both end vertebrae in the upper half of the image, in the mean
        const double y = plate_middle(corners, 2 * upper + 1, 1) + plate_middle(corners, 2 * lower + 1, 1);
        const double* const row = cosines.steps[y < image_height ? lower : most_turned];
        third = row[y < image_height ? first_least(row, lower, last) : first_least(row, 0, most_turned)];
    }
    return {{degrees_of_steps(cosines.steps[upper][lower]), degrees_of_steps(second), degrees_of_steps(third)},
            upper,
            lower};
}

}  // namespace spinert
