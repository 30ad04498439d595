// Volumes to other grids: a thread for each voxel of the result sums the inputs that have a weight, through the caches,
// in the order of the CPU: along slices, of that along rows, of that along columns. The weights of each axis are tables
// in scratch, made on the device just before.
#include "resample.h"

#include "block.cuh"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr unsigned kColumns = 32, kRows = 8;  // of a block

// Output i has the inputs first[i] .. first[i] + count[i] - 1, with the weights at weights[i * taps].
struct Table {
    AxisGrid axis;
    int inputs, outputs, taps;
    int32_t *first, *count;
    float* weights;
};
struct Tables {
    Table slice, row, column;
};

__device__ const Table& table_of(const Tables& tables, unsigned axis) {
    return axis == 0 ? tables.slice : axis == 1 ? tables.row : tables.column;
}

__global__ void weigh_axes(Tables tables) {
    const Table& table = table_of(tables, blockIdx.y);
    for_each_of_grid(table.outputs, [&](int i) {
        const double centre = centre_of(table.axis, table.inputs, i);
        const Reach reach = reach_of(table.axis, table.inputs, centre);
        double total = 0.0;
        for (int t = 0; t < reach.count; ++t) total += weight_of(reach, centre, t);
        float* weights = table.weights + static_cast<size_t>(i) * static_cast<size_t>(table.taps);
        for (int t = 0; t < reach.count; ++t) weights[t] = static_cast<float>(weight_of(reach, centre, t) / total);
        table.first[i] = reach.first;
        table.count[i] = reach.count;
    });
}

__global__ void find_nearest(Tables tables) {
    const Table& table = table_of(tables, blockIdx.y);
    for_each_of_grid(table.outputs, [&](int i) {
        table.first[i] = nearest_to(centre_of(table.axis, table.inputs, i), table.inputs);
    });
}

// What an output has on one axis.
struct Taps {
    const float* weights;
    int first, count;
};
__device__ Taps taps_of(const Table& table, int i) {
    const size_t at = static_cast<size_t>(i) * static_cast<size_t>(table.taps);
    return {table.weights + at, __ldg(table.first + i), __ldg(table.count + i)};
}

template <class Voxel>
__device__ size_t line_of(const Volume<Voxel>& volume, int slice, int row) {
    return (static_cast<size_t>(slice) * static_cast<size_t>(volume.rows) + static_cast<size_t>(row)) *
           static_cast<size_t>(volume.columns);
}

// body(z, y, x, place in the result) for every voxel of the result.
template <class Body>
__device__ void for_each_voxel(const Tables& tables, const Body& body) {
    const int slices = tables.slice.outputs, rows = tables.row.outputs, columns = tables.column.outputs;
    const int x = static_cast<int>(blockIdx.x * kColumns + threadIdx.x);
    if (x >= columns) return;
    for (int z = static_cast<int>(blockIdx.z); z < slices; z += static_cast<int>(gridDim.z)) {
        for (int y = static_cast<int>(blockIdx.y * kRows + threadIdx.y); y < rows;
             y += static_cast<int>(gridDim.y * kRows)) {
            const size_t row = static_cast<size_t>(z) * static_cast<size_t>(rows) + static_cast<size_t>(y);
            body(z, y, x, row * static_cast<size_t>(columns) + static_cast<size_t>(x));
        }
    }
}

template <bool kWindowed, class Voxel>
__global__ void __launch_bounds__(kColumns* kRows)
linear_voxels(Volume<Voxel> volume, Tables tables, StoredWindow window, float* out) {
    const Shade shade = shade_of(window);
    for_each_voxel(tables, [&](int z, int y, int x, size_t place) {
        const Taps slices = taps_of(tables.slice, z), rows = taps_of(tables.row, y);
        const Taps columns = taps_of(tables.column, x);
        float sum = 0.0f;
        for (int i = 0; i < columns.count; ++i) {
            float along_rows = 0.0f;
            for (int j = 0; j < rows.count; ++j) {
                float along_slices = 0.0f;
                for (int k = 0; k < slices.count; ++k) {
                    const Voxel* line = volume.voxels + line_of(volume, slices.first + k, rows.first + j);
                    const float stored = static_cast<float>(__ldg(line + columns.first + i));
                    const float value = kWindowed ? clip_stored(stored, window) : stored;
                    const float weighted = __ldg(slices.weights + k) * value;
                    along_slices = k == 0 ? weighted : along_slices + weighted;
                }
                const float weighted = __ldg(rows.weights + j) * along_slices;
                along_rows = j == 0 ? weighted : along_rows + weighted;
            }
            const float weighted = __ldg(columns.weights + i) * along_rows;
            sum = i == 0 ? weighted : sum + weighted;
        }
        if (kWindowed) {
            sum *= shade.factor;
            sum = sum < shade.least ? shade.least : sum;
            sum = sum > shade.most ? shade.most : sum;
        }
        out[place] = sum;
    });
}

template <class Label>
__global__ void __launch_bounds__(kColumns* kRows) nearest_voxels(Volume<Label> labels, Tables tables, Label* out) {
    for_each_voxel(tables, [&](int z, int y, int x, size_t place) {
        const size_t line = line_of(labels, __ldg(tables.slice.first + z), __ldg(tables.row.first + y));
        out[place] = __ldg(labels.voxels + line + __ldg(tables.column.first + x));
    });
}

int most_taps(AxisGrid axis, int inputs, int outputs) {
    int most = 1;
    for (int i = 0; i < outputs; ++i) {
        const int count = reach_of(axis, inputs, centre_of(axis, inputs, i)).count;
        most = count > most ? count : most;
    }
    return most;
}

// Tables one behind the other in scratch; `weighed` also has room for counts and weights.
template <class Voxel>
Tables make_tables(const Volume<Voxel>& volume, const ResampleGrid& grid, bool weighed, Stream& stream) {
    Tables tables = {{grid.slice, volume.slices, grid.slices, 0, nullptr, nullptr, nullptr},
                     {grid.row, volume.rows, grid.rows, 0, nullptr, nullptr, nullptr},
                     {grid.column, volume.columns, grid.columns, 0, nullptr, nullptr, nullptr}};
    Table* const all[] = {&tables.slice, &tables.row, &tables.column};
    size_t words = 0;
    for (Table* table : all) {
        if (weighed) table->taps = most_taps(table->axis, table->inputs, table->outputs);
        words += static_cast<size_t>(table->outputs) * (weighed ? static_cast<size_t>(table->taps) + 2 : 1);
    }
    static_assert(sizeof(float) == sizeof(int32_t), "tables are made of words");
    auto* next = static_cast<int32_t*>(stream.scratch(words * sizeof(int32_t)));
    for (Table* table : all) {
        table->first = next;
        next += table->outputs;
        if (!weighed) continue;
        table->count = next;
        table->weights = reinterpret_cast<float*>(next + table->outputs);
        next += static_cast<size_t>(table->outputs) * (static_cast<size_t>(table->taps) + 1);
    }
    return tables;
}

Grid grid_for_tables(const ResampleGrid& grid) {
    int longest = grid.slices > grid.rows ? grid.slices : grid.rows;
    longest = longest > grid.columns ? longest : grid.columns;
    return {dim3(blocks_for(static_cast<size_t>(longest), 128), 3), dim3(128)};
}

Grid grid_for(const ResampleGrid& grid) {
    const unsigned columns = (static_cast<unsigned>(grid.columns) + kColumns - 1) / kColumns;
    const unsigned slices = static_cast<unsigned>(grid.slices < 65535 ? grid.slices : 65535);
    return {dim3(columns, blocks_for(static_cast<size_t>(grid.rows), kRows), slices), dim3(kColumns, kRows)};
}

bool is_empty(const ResampleGrid& grid) { return grid.slices == 0 || grid.rows == 0 || grid.columns == 0; }

}  // namespace

template <class Voxel>
void resample_volume(const Volume<Voxel>& volume, const ResampleGrid& grid, const StoredWindow& window, float* out,
                     Stream& stream) {
    if (is_empty(grid)) return;
    const Tables tables = make_tables(volume, grid, true, stream);
    launch("resample_volume", {grid.slices, grid.rows, grid.columns}, weigh_axes, grid_for_tables(grid), stream,
           tables);
    const auto kernel = is_none(window) ? linear_voxels<false, Voxel> : linear_voxels<true, Voxel>;
    launch("resample_volume", {grid.slices, grid.rows, grid.columns}, kernel, grid_for(grid), stream, volume, tables,
           window, out);
}
template void resample_volume(const Volume<uint8_t>&, const ResampleGrid&, const StoredWindow&, float*, Stream&);
template void resample_volume(const Volume<int16_t>&, const ResampleGrid&, const StoredWindow&, float*, Stream&);
template void resample_volume(const Volume<uint16_t>&, const ResampleGrid&, const StoredWindow&, float*, Stream&);
template void resample_volume(const Volume<float>&, const ResampleGrid&, const StoredWindow&, float*, Stream&);

template <class Label>
void resample_labels(const Volume<Label>& labels, const ResampleGrid& grid, Label* out, Stream& stream) {
    if (is_empty(grid)) return;
    const Tables tables = make_tables(labels, grid, false, stream);
    launch("resample_labels", {grid.slices, grid.rows, grid.columns}, find_nearest, grid_for_tables(grid), stream,
           tables);
    launch("resample_labels", {grid.slices, grid.rows, grid.columns}, nearest_voxels<Label>, grid_for(grid), stream,
           labels, tables, out);
}
template void resample_labels(const Volume<uint8_t>&, const ResampleGrid&, uint8_t*, Stream&);
template void resample_labels(const Volume<uint16_t>&, const ResampleGrid&, uint16_t*, Stream&);

}  // namespace spinert::cuda
