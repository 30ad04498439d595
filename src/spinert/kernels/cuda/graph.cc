#include "graph.h"

#include "device.h"
#include "error.h"

namespace spinert::cuda {

Graph::~Graph() {
    abandon();
    const BesideCapture beside;
    if (launched_) cudaEventSynchronize(launched_->get());
    if (executable_) cudaGraphExecDestroy(executable_);
}

void Graph::begin() {
    if (capturing_ || executable_) throw Error("a graph that was captured already", "make another one: Graph(stream)");
    const OnDevice here(stream_->device());
    Queue& queue = *stream_->queue();
    if (queue.stream == cudaStreamLegacy) {
        throw Error("capturing the legacy default stream", "capture a stream of its own: Stream()");
    }
    if (queue.kept || queue.capturing()) {
        throw Error("capturing a stream that is being captured already", "finish the other capture first");
    }
    // work that other threads do meanwhile on other streams does not concern this capture
    check(cudaStreamBeginCapture(queue.stream, cudaStreamCaptureModeThreadLocal), "capturing a stream");
    queue.kept = &kept_;
    capturing_ = true;
}

cudaGraph_t Graph::finish() noexcept {
    cudaGraph_t graph = nullptr;
    Queue& queue = *stream_->queue();
    ended_ = cudaStreamEndCapture(queue.stream, &graph);
    capturing_ = false;
    queue.kept = nullptr;
    for (void* memory : queue.to_free) queue.free_later(memory);
    queue.to_free.clear();
    return graph;
}

void Graph::end() {
    if (!capturing_) throw Error("ending a capture that was not begun", "capture with: with Graph(stream) as graph: ...");
    const OnDevice here(stream_->device());
    const cudaGraph_t graph = finish();
    check(ended_, "capturing a stream");
    const cudaError_t made = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(made, "instantiating a graph");
}

void Graph::abandon() noexcept {
    if (!capturing_) return;
    const cudaGraph_t graph = finish();
    if (graph) cudaGraphDestroy(graph);
    cudaGetLastError();
    kept_.clear();
}

void Graph::launch(const Queue& queue) {
    if (!executable_) {
        throw Error("launching a graph that was not captured", "capture it first: with Graph(stream) as graph: ...");
    }
    const OnDevice here(queue.device);
    if (queue.device != stream_->device()) {
        throw Error("launching a graph of device " + std::to_string(stream_->device()) + " on device " +
                        std::to_string(queue.device),
                    "capture it again on that device");
    }
    if (queue.capturing()) throw Error("launching a graph within a capture", "launch it after the capture");
    order(*stream_->queue(), queue);
    check(cudaGraphLaunch(executable_, queue.stream), "launching a graph");
    if (!launched_) launched_ = std::make_unique<Event>(queue.device, false);
    launched_->record(queue);
    order(queue, *stream_->queue());
}

}  // namespace spinert::cuda
