// DBSCAN and K-means: scratch and threads around the kernels of one ISA.
#include "clusters.h"

#include <memory>
#include <vector>

#include "parallel.h"

namespace spinert {
namespace {

// Not initialised: memory that no group reaches is never touched.
class DbscanMemory {
public:
    explicit DbscanMemory(size_t points)
        : entries_(new DbscanEntry[2 * points]),
          cells_(new DbscanCell[points + 1]),
          xy_(new double[2 * points]),
          points_(new uint32_t[points]),
          size_(points) {}
    DbscanScratch scratch() const {
        return {entries_.get(), entries_.get() + size_, cells_.get(), xy_.get(), xy_.get() + size_, points_.get()};
    }

private:
    std::unique_ptr<DbscanEntry[]> entries_;
    std::unique_ptr<DbscanCell[]> cells_;
    std::unique_ptr<double[]> xy_;
    std::unique_ptr<uint32_t[]> points_;
    size_t size_;
};

}  // namespace

void dbscan(PointGroups groups, double eps, int64_t min_samples, int32_t* labels, int threads) {
    const clusters::Kernels& kernels = clusters::active();
    const int64_t* const last = groups.offsets + groups.groups;
    size_t largest = 0;
    for (const int64_t* group = groups.offsets; group < last; ++group) {
        largest = std::max(largest, static_cast<size_t>(group[1] - group[0]));
    }
    const size_t parts = std::min(groups.groups, static_cast<size_t>(threads));
    std::vector<DbscanMemory> memory;
    memory.reserve(parts);
    for (size_t part = 0; part < parts; ++part) memory.emplace_back(largest);
    // parts of as many points as groups allow: a group goes to the part of its first point
    parallel_for(static_cast<size_t>(*last), static_cast<int>(parts), [&](size_t part, size_t begin, size_t end) {
        const int64_t* group = std::lower_bound(groups.offsets, last, static_cast<int64_t>(begin));
        for (; group < last && *group < static_cast<int64_t>(end); ++group) {
            const auto n = static_cast<uint32_t>(group[1] - group[0]);
            kernels.dbscan(groups.points + 2 * *group, n, eps, min_samples, memory[part].scratch(), labels + *group);
        }
    });
}

void kmeans(KMeansJob job, int axes) {
    const size_t k = static_cast<size_t>(job.k);
    const std::unique_ptr<double[]> scratch(new double[std::max(job.n, k * (static_cast<size_t>(axes) + 1))]);
    clusters::active().kmeans(job, axes, scratch.get());
}

}  // namespace spinert
