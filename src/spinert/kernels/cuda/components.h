// Connected components on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stream.h"

namespace spinert::cuda {

// Shape of voxels [slices, rows, columns], fewer than 2**31 - 1; an image is one slice.
struct Volume {
    int slices, rows, columns;

    size_t voxels() const {
        return static_cast<size_t>(slices) * static_cast<size_t>(rows) * static_cast<size_t>(columns);
    }
};

// Values of an image or a volume beside its labels; of one type, the others are null.
struct Stored {
    const int16_t* signed16;
    const uint16_t* unsigned16;
    const float* floats;
    double slope, intercept;
};

struct Statistics {
    int count, axes;
    int64_t* voxels;    // [count]
    int32_t* boxes;     // [count, 2 * axes]
    double* centroids;  // [count, axes]
    double* means;      // [count], or null
};

// labels of the values' shape and count [1]; corners: voxels that share a corner are connected too.
void label_components(const uint8_t* mask, const Volume& volume, bool corners, int32_t* labels, int32_t* count,
                      Stream& stream);
void label_classes(const uint8_t* classes, const Volume& volume, bool corners, int32_t* labels, int32_t* count,
                   Stream& stream);

void component_statistics(const int32_t* labels, const Volume& volume, const Stored& stored,
                          const Statistics& statistics, Stream& stream);

// kept [n]; keep [count]
void keep_components(const int32_t* labels, size_t n, const uint8_t* keep, int count, int32_t* kept, Stream& stream);

}  // namespace spinert::cuda
