// Volumes to other grids. A row of the result is made in three steps, each along one axis: the slices that it lies
// between are blended row by row into a ring of lines, these lines into one, and the columns of that one into the row.
// Blending slices first costs most arithmetic where columns shrink, but needs some lines of memory, not some slices.
#include "resample.h"

#include "lanes.inl"

#include "columns.inl"

namespace spinert {
namespace {

template <bool kWindowed, class Voxel>
SPINERT_INLINE float value_of(Voxel voxel, const StoredWindow& window) {
    const float value = static_cast<float>(voxel);
    return kWindowed ? clip_stored(value, window) : value;
}

// line (+)= the sum of kCount weighted rows, one after another
template <int kCount, bool kFirst, bool kWindowed, class Voxel>
SPINERT_INLINE void add_rows(const Voxel* const* rows, const float* weights, const StoredWindow& window, int n,
                             float* __restrict line) {
    const Voxel* from[kCount];
    float weight[kCount];
    for (int t = 0; t < kCount; ++t) from[t] = rows[t], weight[t] = weights[t];
    const StoredWindow copy = window;
    for (int i = 0; i < n; ++i) {
        float sum = weight[0] * value_of<kWindowed>(from[0][i], copy);
        if (!kFirst) sum = line[i] + sum;
        for (int t = 1; t < kCount; ++t) sum += weight[t] * value_of<kWindowed>(from[t][i], copy);
        line[i] = sum;
    }
}

// Up to four rows: with `kFirst` they are all there is so far.
template <bool kFirst, bool kWindowed, class Voxel>
SPINERT_INLINE void add_some(const Voxel* const* rows, const float* weights, int count, const StoredWindow& window,
                             int n, float* line) {
    switch (count) {
        case 1: return add_rows<1, kFirst, kWindowed>(rows, weights, window, n, line);
        case 2: return add_rows<2, kFirst, kWindowed>(rows, weights, window, n, line);
        case 3: return add_rows<3, kFirst, kWindowed>(rows, weights, window, n, line);
        default: return add_rows<4, kFirst, kWindowed>(rows, weights, window, n, line);
    }
}

// Row `row` of the blended slices of the result's slice z.
template <bool kWindowed, class Voxel>
static void blend_slices(const LinearJob<Voxel>& job, int z, int row, float* line) {
    const Volume<Voxel>& volume = job.volume;
    const int taps = job.slice.taps;
    const int32_t* index = job.slice.index + static_cast<size_t>(z) * taps;
    const float* weights = job.slice.weights + static_cast<size_t>(z) * taps;
    for (int t = 0; t < taps; t += 4) {
        const int count = smaller(4, taps - t);
        const Voxel* rows[4];
        for (int k = 0; k < count; ++k) {
            rows[k] = volume.voxels + (static_cast<size_t>(index[t + k]) * volume.rows + row) * volume.columns;
        }
        if (t == 0) {
            add_some<true, kWindowed>(rows, weights, count, job.window, volume.columns, line);
        } else {
            add_some<false, kWindowed>(rows, weights + t, count, job.window, volume.columns, line);
        }
    }
}

static void blend_lines(const float* ring, int stride, const ResampleAxis& axis, int y, int n, float* line) {
    const int32_t* index = axis.index + static_cast<size_t>(y) * axis.taps;
    const float* weights = axis.weights + static_cast<size_t>(y) * axis.taps;
    for (int t = 0; t < axis.taps; t += 4) {
        const int count = smaller(4, axis.taps - t);
        const float* rows[4];
        for (int k = 0; k < count; ++k) rows[k] = ring + static_cast<size_t>(index[t + k] % axis.taps) * stride;
        if (t == 0) {
            add_some<true, false>(rows, weights, count, {}, n, line);
        } else {
            add_some<false, false>(rows, weights + t, count, {}, n, line);
        }
    }
}

template <bool kWindowed, class Voxel>
static void linear_rows_of(const LinearJob<Voxel>& job, int64_t begin, int64_t end, float* scratch) {
    const ResampleAxis& axis = job.row;
    float* ring = scratch;  // row r of the blended slices is in line r % taps
    float* blended = scratch + static_cast<size_t>(axis.taps) * job.stride;
    const Shade shade = shade_of(job.window);
    int z = static_cast<int>(begin / job.rows), y = static_cast<int>(begin % job.rows), made = 0;
    for (int64_t row = begin; row < end; ++row) {
        const int first = axis.index[static_cast<size_t>(y) * axis.taps];
        if (row == begin || y == 0) made = first;
        made = larger(made, first);
        for (int t = 0; t < axis.taps; ++t) {  // the inputs ascend, apart from repetitions of the first
            const int needed = axis.index[static_cast<size_t>(y) * axis.taps + t];
            if (needed < made) continue;
            blend_slices<kWindowed>(job, z, needed, ring + static_cast<size_t>(needed % axis.taps) * job.stride);
            made = needed + 1;
        }
        const float* line = blended;
        if (axis.taps == 1) {  // the only weight is 1
            line = ring;
        } else {
            blend_lines(ring, job.stride, axis, y, job.volume.columns, blended);
        }
        float* out = job.out + static_cast<size_t>(row) * job.columns;
        if (job.near) {
            blend_columns<true, kWindowed>(line, job.column, job.padded, job.columns, shade, out);
        } else {
            blend_columns<false, kWindowed>(line, job.column, job.padded, job.columns, shade, out);
        }
        if (++y == job.rows) y = 0, ++z;
    }
}

template <class Voxel>
static void linear_rows(const LinearJob<Voxel>& job, int64_t begin, int64_t end, float* scratch) {
    if (is_none(job.window)) {
        linear_rows_of<false>(job, begin, end, scratch);
    } else {
        linear_rows_of<true>(job, begin, end, scratch);
    }
}

template <class Label>
static void nearest_rows(const NearestJob<Label>& job, int64_t begin, int64_t end) {
    const Volume<Label>& labels = job.labels;
    for (int64_t row = begin; row < end; ++row) {
        const size_t slice = static_cast<size_t>(job.slice[row / job.rows]);
        const Label* from = labels.voxels + (slice * labels.rows + job.row[row % job.rows]) * labels.columns;
        Label* to = job.out + static_cast<size_t>(row) * job.columns;
        for (int x = 0; x < job.columns; ++x) to[x] = from[job.column[x]];
    }
}

}  // namespace
}  // namespace spinert

namespace spinert::resample {
namespace {

constexpr Kernels kTable = {linear_rows<uint8_t>, linear_rows<int16_t>,  linear_rows<uint16_t>,
                            linear_rows<float>,   nearest_rows<uint8_t>, nearest_rows<uint16_t>};

}  // namespace
}  // namespace spinert::resample
