// Overlap of boxes: a thread for each pair.
#include "boxes.cuh"

namespace spinert::cuda {
namespace {

__global__ void __launch_bounds__(kBoxThreads) iou_of_pair(BoxArray a, BoxArray b, float* out) {
    for_each_of_grid(a.n * b.n, [&](size_t i) {
        out[i] = static_cast<float>(overlap(Upright::read(a.values, i / b.n), Upright::read(b.values, i % b.n)));
    });
}

__global__ void __launch_bounds__(kBoxThreads) read_turned(BoxArray boxes, Turned::Box* read) {
    for_each_of_grid(boxes.n, [&](size_t i) { read[i] = Turned::read(boxes.values, i); });
}

__global__ void __launch_bounds__(kBoxThreads)
rotated_iou_of_pair(const Turned::Box* a, size_t n, const Turned::Box* b, size_t m, float* out) {
    for_each_of_grid(n * m, [&](size_t i) {
        const Turned::Box one = a[i / m], other = b[i % m];
        out[i] = static_cast<float>(share_of_union(Turned::shared(one, other), one.area, other.area));
    });
}

}  // namespace

void iou(BoxArray a, BoxArray b, float* out, const Stream& stream) {
    launch("iou", {a.n, b.n}, iou_of_pair, {dim3(blocks_for(a.n * b.n, kBoxThreads)), dim3(kBoxThreads)}, stream, a, b,
           out);
}

void rotated_iou(BoxArray a, BoxArray b, float* out, Stream& stream) {
    auto* const read = static_cast<Turned::Box*>(stream.scratch((a.n + b.n) * sizeof(Turned::Box)));
    for (const auto& [boxes, to] : {std::pair(a, read), std::pair(b, read + a.n)}) {
        launch("rotated_iou", {a.n, b.n}, read_turned, {dim3(blocks_for(boxes.n, kBoxThreads)), dim3(kBoxThreads)},
               stream, boxes, to);
    }
    launch("rotated_iou", {a.n, b.n}, rotated_iou_of_pair,
           {dim3(blocks_for(a.n * b.n, kBoxThreads)), dim3(kBoxThreads)}, stream, read, a.n, read + a.n, b.n, out);
}

}  // namespace spinert::cuda
