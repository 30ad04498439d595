// K-means of points on a line or in the plane. Sums run in the order of the points, so that no instruction set changes
// a bit of them.

namespace spinert {
namespace {

template <int kAxes>
SPINERT_INLINE double squared_distance(const double* a, const double* b) {
    double sum = 0.0;
    for (int axis = 0; axis < kAxes; ++axis) sum += (a[axis] - b[axis]) * (a[axis] - b[axis]);
    return sum;
}

// The point farthest from the mean, then again and again the one farthest from all centres so far; the first of equals.
// `gaps` receives the squared distance of each point from its nearest centre.
template <int kAxes>
static void seed_centres(KMeansJob job, double* gaps) {
    double mean[kAxes] = {};
    for (size_t i = 0; i < job.n; ++i) {
        for (int axis = 0; axis < kAxes; ++axis) mean[axis] += job.points[i * kAxes + axis];
    }
    for (double& value : mean) value /= static_cast<double>(job.n);
    for (size_t i = 0; i < job.n; ++i) gaps[i] = squared_distance<kAxes>(job.points + i * kAxes, mean);
    for (int k = 0; k < job.k; ++k) {
        size_t farthest = 0;
        for (size_t i = 1; i < job.n; ++i) farthest = gaps[i] > gaps[farthest] ? i : farthest;
        double* const centre = job.centres + static_cast<size_t>(k) * kAxes;
        for (int axis = 0; axis < kAxes; ++axis) centre[axis] = job.points[farthest * kAxes + axis];
        for (size_t i = 0; i < job.n; ++i) {
            const double gap = squared_distance<kAxes>(job.points + i * kAxes, centre);
            gaps[i] = k == 0 || gap < gaps[i] ? gap : gaps[i];
        }
    }
}

template <int kAxes>
static void label_nearest(KMeansJob job) {
    for (size_t i = 0; i < job.n; ++i) {
        const double* const point = job.points + i * kAxes;
        double least = squared_distance<kAxes>(point, job.centres);
        int nearest = 0;
        for (int k = 1; k < job.k; ++k) {
            const double gap = squared_distance<kAxes>(point, job.centres + static_cast<size_t>(k) * kAxes);
            if (gap < least) {
                least = gap;
                nearest = k;
            }
        }
        job.labels[i] = nearest;
    }
}

// Each centre to the mean of its points, one without points stays. Returns the largest squared step.
template <int kAxes>
static double move_centres(KMeansJob job, double* sums, double* counts) {
    for (int k = 0; k < job.k; ++k) {
        counts[k] = 0.0;
        for (int axis = 0; axis < kAxes; ++axis) sums[k * kAxes + axis] = 0.0;
    }
    for (size_t i = 0; i < job.n; ++i) {
        const size_t k = static_cast<size_t>(job.labels[i]);
        counts[k] += 1.0;
        for (int axis = 0; axis < kAxes; ++axis) sums[k * kAxes + axis] += job.points[i * kAxes + axis];
    }
    double longest = 0.0;
    for (size_t k = 0; k < static_cast<size_t>(job.k); ++k) {
        if (counts[k] == 0.0) continue;
        double* const centre = job.centres + k * kAxes;
        for (int axis = 0; axis < kAxes; ++axis) sums[k * kAxes + axis] /= counts[k];
        const double step = squared_distance<kAxes>(sums + k * kAxes, centre);
        longest = step > longest ? step : longest;
        for (int axis = 0; axis < kAxes; ++axis) centre[axis] = sums[k * kAxes + axis];
    }
    return longest;
}

template <int kAxes>
static void kmeans_of(KMeansJob job, double* scratch) {
    seed_centres<kAxes>(job, scratch);
    for (int iteration = 0; iteration < job.max_iterations; ++iteration) {
        label_nearest<kAxes>(job);
        const double step = move_centres<kAxes>(job, scratch, scratch + static_cast<size_t>(job.k) * kAxes);
        if (step <= job.tolerance * job.tolerance) break;
    }
    label_nearest<kAxes>(job);
}

static void kmeans_of_points(KMeansJob job, int axes, double* scratch) {
    axes == 1 ? kmeans_of<1>(job, scratch) : kmeans_of<2>(job, scratch);
}

}  // namespace
}  // namespace spinert
