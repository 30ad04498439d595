// Graphs: the work queued on a stream between two moments, to be launched again as a whole.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <vector>

#include "event.h"
#include "stream.h"

namespace spinert::cuda {

class Graph {
  public:
    explicit Graph(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
    ~Graph();  // waits for the last launch, which may use page-locked memory that nobody else holds
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    // What is queued on the stream between these two is not run but becomes the graph. It keeps the arrays, scratch
    // and pinned buffers alive that it uses.
    void begin();
    void end();
    // Gives up what was captured.
    void abandon() noexcept;

    // Behind what the stream holds; ordered with the captured stream on both sides.
    void launch(const Queue& queue);
    bool captured() const { return executable_ != nullptr; }
    const std::shared_ptr<Stream>& stream() const { return stream_; }

  private:
    cudaGraph_t finish() noexcept;

    std::shared_ptr<Stream> stream_;
    std::vector<std::shared_ptr<void>> kept_;
    std::unique_ptr<Event> launched_;
    cudaGraphExec_t executable_ = nullptr;
    cudaError_t ended_ = cudaSuccess;
    bool capturing_ = false;
};

}  // namespace spinert::cuda
