// Connected components: labels, statistics, selection.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace spinert {

// Voxels [slices, rows, columns], fewer than 2**31. All that is not 0 is foreground: of one kind in a mask, each value
// of a kind of its own among classes.
enum class Kind { mask, classes };
struct Voxels {
    const uint8_t* values;
    int slices, rows, columns;
    Kind kind;
};
// Which voxels of a kind are connected: those with a common face (4 in a plane, 6 in space), or corner (8, 26).
enum class Touching { faces, corners };

// labels [slices, rows, columns]: 0 for background, components 1, 2 ... in the order of their first voxels; returns how
// many there are.
int label_components(const Voxels& voxels, Touching touching, int32_t* labels, int threads);

struct Labels {
    const int32_t* labels;
    int slices, rows, columns;
};
// Stored values beside the labels, whose means are slope * stored + intercept; of one type, the others are null.
struct Stored {
    const int16_t* signed16;
    const uint16_t* unsigned16;
    const float* floats;
    double slope, intercept;
};
// Entry i is of label i + 1; points and boxes have `axes` coordinates, x first: 2, of a single slice, or 3.
struct Statistics {
    size_t count;
    int axes;
    int64_t* voxels;    // [count]
    int32_t* boxes;     // [count, 2 * axes]: the first voxel on each axis, and the one after the last
    double* centroids;  // [count, axes]
    double* means;      // [count]; null without stored values
};
void component_statistics(const Labels& labels, const Stored& stored, const Statistics& statistics, int threads);

// kept [n]: the labels whose keep [count] is not 0, counted anew from 1 in their order; 0 for all others.
void keep_components(const int32_t* labels, size_t n, const uint8_t* keep, size_t count, int32_t* kept, int threads);

// Rows of voxels as bits, with an entry for each row at hand. A run is a stretch of voxels of one kind in a row.
struct RowScratch {
    static constexpr int kPad = 64;  // bytes of 0 on either side of a row of values

    int words;         // of 64 voxels in a row
    uint64_t* bits;    // [words + 2] a row: foreground, between words of 0
    uint64_t* starts;  // [words + 1] a row: first voxels of runs, and a word of 0
    int32_t* rank;     // [words] a row: number of the next run to start in the word
    uint8_t* values;   // [kPad + 64 * words + kPad] a row; null for a mask
};

// Slices begin..end. Their runs are numbered from the index of their first voxel on, which makes a run's number at most
// the index of its voxels: the table of runs lies in the front of the slab's labels until labels take its place.
struct Slab {
    int begin, end;
    int32_t first_run, last_slice_run, end_run;
};

// What statistics are made of; whole numbers are exact.
struct Moments {
    size_t count;
    int axes;
    int64_t* voxels;   // [count]
    int32_t* boxes;    // [count, 2 * axes]
    int64_t* moments;  // [count, axes]: sums of x, y, z
    int64_t* whole;    // [count]: sums of stored integers
    double* floats;    // [count]: sums of stored floats
};

namespace components {

struct Labeller {
    // `scratch` holds rows + 3 rows
    void (*find_runs)(const Voxels& voxels, const RowScratch& scratch, Slab& slab, int32_t* table);
    // of a slab and the one after it; `scratch` likewise
    void (*join_slabs)(const Voxels& voxels, const RowScratch& scratch, const Slab& before, const Slab& slab,
                       int32_t* table);
    // from the table in the front of `labels`; `scratch` holds one row, `line` [columns + 8]
    void (*write_labels)(const Voxels& voxels, const RowScratch& scratch, const Slab& slab, int32_t* line,
                         int32_t* labels);
};

struct Kernels {
    Labeller labellers[2][2];  // of a Kind and a Touching
    // parents to labels, the first of which is count + 1; returns the last
    int32_t (*number_runs)(const Slab& slab, int32_t count, int32_t* table);
    // adds rows begin..end of all slices' rows
    void (*add_rows)(const Labels& labels, const Stored& stored, size_t begin, size_t end, const Moments& moments);
    // table[label - 1], 0 for labels outside 1..count
    void (*relabel)(const int32_t* labels, size_t n, const int32_t* table, size_t count, int32_t* out);
};
SPINERT_TABLES

}  // namespace components
}  // namespace spinert
