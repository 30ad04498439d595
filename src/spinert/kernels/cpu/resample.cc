// Resampling: tables of weights, scratch and threads around the kernels of one ISA.
#include "resample.h"

#include <vector>

#include "parallel.h"

namespace spinert {
namespace {

struct Table {
    std::vector<int32_t> index;
    std::vector<float> weights;
    int taps = 1;
    ResampleAxis axis() const { return {index.data(), weights.data(), taps}; }
};

// [outputs][taps]
Table make_table(AxisGrid axis, int inputs, int outputs) {
    Table table;
    for (int i = 0; i < outputs; ++i) {
        table.taps = std::max(table.taps, reach_of(axis, inputs, centre_of(axis, inputs, i)).count);
    }
    table.index.resize(static_cast<size_t>(outputs) * table.taps);
    table.weights.resize(table.index.size());
    for (int i = 0; i < outputs; ++i) {
        const double centre = centre_of(axis, inputs, i);
        const Reach reach = reach_of(axis, inputs, centre);
        double total = 0.0;
        for (int t = 0; t < reach.count; ++t) total += weight_of(reach, centre, t);
        int32_t* index = table.index.data() + static_cast<size_t>(i) * table.taps;
        float* weights = table.weights.data() + static_cast<size_t>(i) * table.taps;
        for (int t = 0; t < table.taps; ++t) {
            const bool within = t < reach.count;
            index[t] = within ? reach.first + t : reach.first;
            weights[t] = within ? static_cast<float>(weight_of(reach, centre, t) / total) : 0.0f;
        }
    }
    return table;
}

// [taps][outputs], padded with the last output.
Table transposed(const Table& table, int outputs, int padded) {
    const size_t size = static_cast<size_t>(table.taps) * padded;
    Table result = {std::vector<int32_t>(size), std::vector<float>(size), table.taps};
    for (int t = 0; t < table.taps; ++t) {
        for (int i = 0; i < padded; ++i) {
            const size_t from = static_cast<size_t>(std::min(i, outputs - 1)) * table.taps + t;
            result.index[static_cast<size_t>(t) * padded + i] = table.index[from];
            result.weights[static_cast<size_t>(t) * padded + i] = table.weights[from];
        }
    }
    return result;
}

// Whether `lanes` neighbours always lie less than 2 * lanes apart, in ascending order.
bool lie_near(const Table& column, size_t lanes) {
    for (size_t begin = 0; begin < column.index.size(); begin += lanes) {
        const int32_t* places = column.index.data() + begin;
        for (size_t i = 1; i < lanes; ++i) {
            if (places[i] < places[0] || places[i] - places[0] >= static_cast<int>(2 * lanes)) return false;
        }
    }
    return true;
}

std::vector<int32_t> nearest_indices(AxisGrid axis, int inputs, int outputs) {
    std::vector<int32_t> index(static_cast<size_t>(outputs));
    for (int i = 0; i < outputs; ++i) index[i] = nearest_to(centre_of(axis, inputs, i), inputs);
    return index;
}

resample::Linear<uint8_t> kernel_for(Volume<uint8_t>) { return resample::active().linear_u8; }
resample::Linear<int16_t> kernel_for(Volume<int16_t>) { return resample::active().linear_i16; }
resample::Linear<uint16_t> kernel_for(Volume<uint16_t>) { return resample::active().linear_u16; }
resample::Linear<float> kernel_for(Volume<float>) { return resample::active().linear_f32; }
resample::Nearest<uint8_t> label_kernel_for(Volume<uint8_t>) { return resample::active().nearest_u8; }
resample::Nearest<uint16_t> label_kernel_for(Volume<uint16_t>) { return resample::active().nearest_u16; }

}  // namespace

template <class Voxel>
void resample_volume(Volume<Voxel> volume, const ResampleGrid& grid, StoredWindow window, float* out, int threads) {
    const size_t rows = static_cast<size_t>(grid.slices) * grid.rows;
    if (rows == 0 || grid.columns == 0) return;
    const Table slice = make_table(grid.slice, volume.slices, grid.slices);
    const Table row = make_table(grid.row, volume.rows, grid.rows);
    const int padded = (grid.columns + 15) / 16 * 16;
    const Table column = transposed(make_table(grid.column, volume.columns, grid.columns), grid.columns, padded);
    const bool near = lie_near(column, 16) && lie_near(column, 8);
    const int stride = (volume.columns + 46) / 16 * 16;
    const LinearJob<Voxel> job = {volume,        window, grid.rows, grid.columns, slice.axis(), row.axis(),
                                  column.axis(), padded, near,      stride,       out};
    const size_t scratch = static_cast<size_t>(row.taps + 1) * stride;
    std::vector<float> lines(scratch * std::min(rows, static_cast<size_t>(threads)));
    const resample::Linear<Voxel> run = kernel_for(volume);
    parallel_for(rows, threads, [&](size_t part, size_t begin, size_t end) {
        run(job, static_cast<int64_t>(begin), static_cast<int64_t>(end), lines.data() + part * scratch);
    });
}
template void resample_volume(Volume<uint8_t>, const ResampleGrid&, StoredWindow, float*, int);
template void resample_volume(Volume<int16_t>, const ResampleGrid&, StoredWindow, float*, int);
template void resample_volume(Volume<uint16_t>, const ResampleGrid&, StoredWindow, float*, int);
template void resample_volume(Volume<float>, const ResampleGrid&, StoredWindow, float*, int);

template <class Label>
void resample_labels(Volume<Label> labels, const ResampleGrid& grid, Label* out, int threads) {
    const size_t rows = static_cast<size_t>(grid.slices) * grid.rows;
    if (rows == 0 || grid.columns == 0) return;
    const auto slice = nearest_indices(grid.slice, labels.slices, grid.slices);
    const auto row = nearest_indices(grid.row, labels.rows, grid.rows);
    const auto column = nearest_indices(grid.column, labels.columns, grid.columns);
    const NearestJob<Label> job = {labels, grid.rows, grid.columns, slice.data(), row.data(), column.data(), out};
    const resample::Nearest<Label> run = label_kernel_for(labels);
    parallel_for(rows, threads, [&](size_t, size_t begin, size_t end) {
        run(job, static_cast<int64_t>(begin), static_cast<int64_t>(end));
    });
}
template void resample_labels(Volume<uint8_t>, const ResampleGrid&, uint8_t*, int);
template void resample_labels(Volume<uint16_t>, const ResampleGrid&, uint16_t*, int);

}  // namespace spinert
