// Clinical Cobb angles: the chain of alternating turns that exceeds a threshold most, and the apex of each.
//
// What counts is the sum of |turn| - threshold. Dividing a turn at a reversal of w degrees wins 2 (w - threshold), so
// a reversal within a curve divides it once it exceeds the threshold: no scan direction, no order of extremes. Without
// the subtraction a small curve that owes its size to one wedged vertebra would be worth more than the degrees it takes
// from the large curve beside it. Solved from the top: the best chain that ends at a vertebra with a turn of a given
// sign.
#pragma once

#include "spine.h"

namespace spinert {

constexpr int kMostVertebrae = 32;
// Turns are compared in millionths of a degree: the last bit of a float does not choose between equal tilts.
constexpr double kTurnSteps = 1e6;

// A chain that ends at a vertebra with a turn of one sign.
struct Chain {
    double exceeds;  // its turns exceed the threshold by this in sum
    double turn;     // the last one
    int upper;       // vertebra where that begins; -1: there is no such chain
};

struct Chains {
    Chain ending[kMostVertebrae][2];  // [vertebra][turn is positive]
    int best, best_positive;          // of all chains so far the one that exceeds most, the first of equals; -1: none
};

// Whether a vertebra's corners are finite and both its end-plates have a length.
SPINERT_BOTH bool has_end_plates(const double* vertebra) {
    double doubt = 0.0;
    for (int i = 0; i < 8; ++i) doubt += vertebra[i] - vertebra[i];
    const bool upper = vertebra[0] != vertebra[2] || vertebra[1] != vertebra[3];
    const bool lower = vertebra[4] != vertebra[6] || vertebra[5] != vertebra[7];
    return doubt == 0.0 && upper && lower;
}

// The first vertebra ends no chain.
SPINERT_BOTH void begin_chains(Chains& chains) {
    chains.ending[0][0].upper = chains.ending[0][1].upper = -1;
    chains.best = -1;
    chains.best_positive = 0;
}

SPINERT_BOTH double turn_of(double degrees, double cross) {
    const double steps = rounded(degrees * kTurnSteps);
    return (cross < 0.0 ? -steps : steps) / kTurnSteps;
}

// Turn from the upper end-plate of one vertebra to the lower one of another, as a vector each. -180..180 degrees,
// positive clockwise on the screen.
SPINERT_BOTH double turn_between(double ax, double ay, double bx, double by) {
    return turn_of(degrees_between(ax, ay, bx, by), ax * by - ay * bx);
}

SPINERT_BOTH void offer_turn(Chains& chains, int upper, int lower, double turn, double threshold) {
    const double size = magnitude(turn);
    if (!(size >= threshold)) return;
    const bool positive = turn > 0.0;
    const Chain& before = chains.ending[upper][!positive];
    const double exceeds = (before.upper < 0 ? 0.0 : before.exceeds) + size - threshold;
    Chain& chain = chains.ending[lower][positive];
    if (chain.upper < 0 || exceeds > chain.exceeds) chain = {exceeds, turn, upper};
}

// For each vertebra in turn, from head to foot; `turns` [lower] go from those above to it.
SPINERT_BOTH void add_vertebra(Chains& chains, int lower, const double* turns, double threshold) {
    chains.ending[lower][0].upper = chains.ending[lower][1].upper = -1;
    for (int upper = lower - 1; upper >= 0; --upper) offer_turn(chains, upper, lower, turns[upper], threshold);
    for (int positive = 0; positive < 2; ++positive) {
        const Chain& chain = chains.ending[lower][positive];
        if (chain.upper < 0) continue;
        if (chains.best >= 0 && !(chain.exceeds > chains.ending[chains.best][chains.best_positive].exceeds)) continue;
        chains.best = lower;
        chains.best_positive = positive;
    }
}

SPINERT_BOTH double centre_of(const double* vertebra, int axis) {
    return (((vertebra[axis] + vertebra[2 + axis]) + vertebra[4 + axis]) + vertebra[6 + axis]) / 4.0;
}

// The vertebra between two that lies farthest to the convex side of the line through their centres, the first of
// equals; the upper one where there is none between them. A positive turn is convex to the right of the image.
SPINERT_BOTH int apex_of(const double* corners, int upper, int lower, bool positive) {
    const double* const top = corners + 8 * upper;
    const double chord_x = centre_of(corners + 8 * lower, 0) - centre_of(top, 0);
    const double chord_y = centre_of(corners + 8 * lower, 1) - centre_of(top, 1);
    int apex = upper;
    double farthest = 0.0;
    for (int v = upper + 1; v < lower; ++v) {
        const double x = centre_of(corners + 8 * v, 0) - centre_of(top, 0);
        const double y = centre_of(corners + 8 * v, 1) - centre_of(top, 1);
        const double to_the_left = chord_x * y - chord_y * x, beyond = positive ? -to_the_left : to_the_left;
        if (apex == upper || beyond > farthest) {
            apex = v;
            farthest = beyond;
        }
    }
    return apex;
}

// The best chain from head to foot: (upper, lower, apex) and turn of each curve. Returns how many.
SPINERT_BOTH int write_curves(const Chains& chains, const double* corners, int* vertebrae, double* turns) {
    int count = 0, positive = chains.best_positive;
    for (int lower = chains.best; lower >= 0; lower = chains.ending[lower][positive].upper, positive = !positive) {
        if (chains.ending[lower][positive].upper < 0) break;
        ++count;
    }
    positive = chains.best_positive;
    int lower = chains.best;
    for (int i = count - 1; i >= 0; --i, positive = !positive) {
        const Chain& chain = chains.ending[lower][positive];
        vertebrae[3 * i] = chain.upper;
        vertebrae[3 * i + 1] = lower;
        vertebrae[3 * i + 2] = apex_of(corners, chain.upper, lower, chain.turn > 0.0);
        turns[i] = chain.turn;
        lower = chain.upper;
    }
    return count;
}

// What stands behind the last curve of a spine of m vertebrae.
SPINERT_BOTH void write_no_curves(int begin, int m, int* vertebrae, double* turns) {
    for (int i = begin; i < m - 1; ++i) {
        vertebrae[3 * i] = vertebrae[3 * i + 1] = vertebrae[3 * i + 2] = -1;
        turns[i] = not_a_number();
    }
}

}  // namespace spinert
