// Crops of images and volumes along any directions: the places of 16 points are found once and sampled in each channel.
#include "crops.h"

#include "../math/sample.h"
#include "lanes.inl"

namespace spinert {
namespace {

// Of 16 points: the offset of each neighbour in the lower slice, the way to the upper one, and the share of the higher
// neighbour on each axis.
struct Places {
    int32_t low_low[16], low_high[16], high_low[16], high_high[16], deeper[16];  // y before x
    float x[16], y[16], z[16];
    int32_t inside[16];  // -1: yes
};

// Where x = first + i of a row lies on one axis, times `stride`: the offsets of both neighbours are added to `low` and
// `high`.
SPINERT_INLINE void find_on_axis(const double* map, double base, double first, int inputs, int stride, int32_t* low,
                                 int32_t* high, float* share, int32_t* inside) {
    const double step = map[0];
    for (int i = 0; i < 16; ++i) {
        const Between between_two = between(step * (first + i) + base, inputs);
        low[i] = between_two.low * stride;
        high[i] = between_two.high * stride;
        share[i] = between_two.share;
        inside[i] &= -between_two.inside;
    }
}

template <class Voxel>
SPINERT_INLINE Floats gather(const Voxel* plane, const int32_t* offsets) {
    float values[16];
    for (int i = 0; i < 16; ++i) values[i] = static_cast<float>(plane[offsets[i]]);
    return load(values);
}

SPINERT_INLINE Floats mix(Floats low, Floats high, Floats share) { return (all(1.0f) - share) * low + share * high; }

// Not inlined: the compiler would keep the addresses of all neighbours ready for the next channel, on the stack.
template <class Voxel>
__attribute__((noinline)) static void sample_plane(const Voxel* plane, const Places& places, Floats* sampled) {
    const Floats x = load(places.x);
    const Floats low = mix(gather(plane, places.low_low), gather(plane, places.low_high), x);
    const Floats high = mix(gather(plane, places.high_low), gather(plane, places.high_high), x);
    *sampled = mix(low, high, load(places.y));
}

template <int kAxes>
SPINERT_INLINE Places find_places(const double* map, double x, double y, double z, int slices, int rows, int columns) {
    constexpr int kRow = kAxes + 1;
    double base[kAxes];
    for (int axis = 0; axis < kAxes; ++axis) {
        const double* m = map + axis * kRow;
        base[axis] = kAxes == 2 ? m[1] * y + m[2] : m[1] * y + (m[2] * z + m[3]);
    }
    Places places;
    int32_t left[16], right[16], above[16], below[16], front[16] = {}, back[16] = {};
    for (int32_t& inside : places.inside) inside = -1;
    find_on_axis(map, base[0], x, columns, 1, left, right, places.x, places.inside);
    find_on_axis(map + kRow, base[1], x, rows, columns, above, below, places.y, places.inside);
    if (kAxes == 3) {
        find_on_axis(map + 2 * kRow, base[kAxes - 1], x, slices, rows * columns, front, back, places.z, places.inside);
    }
    for (int i = 0; i < 16; ++i) {
        places.low_low[i] = front[i] + above[i] + left[i];
        places.low_high[i] = front[i] + above[i] + right[i];
        places.high_low[i] = front[i] + below[i] + left[i];
        places.high_high[i] = front[i] + below[i] + right[i];
        places.deeper[i] = back[i] - front[i];
    }
    return places;
}

template <class Voxel>
SPINERT_INLINE Floats sample_volume(const Voxel* volume, const Places& places, bool deep) {
    Floats front, back;
    sample_plane(volume, places, &front);
    if (!deep) return front;
    Places deeper = places;
    for (int i = 0; i < 16; ++i) {
        deeper.low_low[i] += places.deeper[i];
        deeper.low_high[i] += places.deeper[i];
        deeper.high_low[i] += places.deeper[i];
        deeper.high_high[i] += places.deeper[i];
    }
    sample_plane(volume, deeper, &back);
    const Floats z = load(places.z);
    return select(z > all(0.0f), mix(front, back, z), front);
}

template <int kAxes, class Voxel>
static void crop_rows_of(const CropJob<Voxel>& job, int64_t begin, int64_t end) {
    const Volume<Voxel>& volume = job.volume;
    const int64_t voxels = static_cast<int64_t>(volume.slices) * volume.rows * volume.columns;
    const int64_t pixels = static_cast<int64_t>(job.slices) * job.rows * job.columns;
    const int last = job.samples * job.samples - 1;
    const float share = 1.0f / static_cast<float>(last + 1);
    for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row / job.rows / job.slices;
        const int y = static_cast<int>(row % job.rows), z = static_cast<int>(row / job.rows % job.slices);
        const double* map = job.maps + n * kAxes * (kAxes + 1);
        const int64_t line = n * job.channels * pixels + (static_cast<int64_t>(z) * job.rows + y) * job.columns;
        for (int x = 0; x < job.columns; x += 16) {
            const int count = smaller(16, job.columns - x);
            for (int k = 0; k <= last; ++k) {
                const double at_x = sample_at(x, k % job.samples, job.samples);
                const double at_y = sample_at(y, k / job.samples, job.samples);
                const Places places =
                    find_places<kAxes>(map, at_x, at_y, z, volume.slices, volume.rows, volume.columns);
                const bool deep = kAxes == 3 && any(load(places.z) > all(0.0f));
                for (int channel = 0; channel < job.channels; ++channel) {
                    const Floats sampled = sample_volume(volume.voxels + channel * voxels, places, deep);
                    Floats value = select(load(places.inside), sampled, all(job.outside));
                    float* out = job.out + line + channel * pixels + x;
                    if (k > 0) value = load_part(out, count, 0.0f) + value;
                    if (k == last) value = value * all(share);
                    store_part(value, out, count);
                }
            }
        }
    }
}

template <class Voxel>
static void crop_rows(const CropJob<Voxel>& job, int64_t begin, int64_t end) {
    if (job.axes == 2) {
        crop_rows_of<2>(job, begin, end);
    } else {
        crop_rows_of<3>(job, begin, end);
    }
}

}  // namespace
}  // namespace spinert

namespace spinert::crops {
namespace {

constexpr Kernels kTable = {crop_rows<uint8_t>, crop_rows<int16_t>, crop_rows<uint16_t>, crop_rows<float>};

}  // namespace
}  // namespace spinert::crops
