#include "parallel.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace spinert {
namespace {

struct Job {
    size_t parts, threads;
    void (*run)(const void* body, size_t slot, size_t part);
    const void* body;
    size_t begun = 0, joined = 0;   // parts, threads
    std::atomic<size_t> done = 0;   // parts; atomic for the caller's glance without the lock

    bool wants_more() const { return begun < parts && joined < threads; }
};

class Workers {
public:
    void run(Job& job) {
        std::unique_lock<std::mutex> lock(mutex_);
        jobs_.push_back(&job);
        const size_t helpers = job.threads - 1;
        grow_to(helpers);
        if (helpers < workers_) {
            for (size_t i = 0; i < helpers; ++i) work_.notify_one();
        } else {
            work_.notify_all();
        }
        take_part(job, lock);
        if (job.done < job.parts) {
            lock.unlock();
            glance(job);
            lock.lock();
        }
        finished_.wait(lock, [&] { return job.done == job.parts; });
        jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
    }

private:
    // One part after another until all have begun. The job is not touched without the lock but between the begin of a
    // part and its end: it goes out of scope with the last end.
    void take_part(Job& job, std::unique_lock<std::mutex>& lock) {
        const size_t slot = job.joined++;
        while (job.begun < job.parts) {
            const size_t part = job.begun++;
            lock.unlock();
            job.run(job.body, slot, part);
            lock.lock();
            if (++job.done == job.parts) finished_.notify_all();
        }
    }

    // The last parts mostly end within the time that it takes to fall asleep and be woken.
    static void glance(const Job& job) {
        for (int i = 0; i < 2000 && job.done.load(std::memory_order_relaxed) < job.parts; ++i) {
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
    }

    // More threads than the machine has processors would only wait for each other.
    void grow_to(size_t workers) {
        if (workers_ >= workers) return;
        const size_t most = std::max<size_t>(2, std::thread::hardware_concurrency()) - 1;
        try {
            for (; workers_ < std::min(workers, most); ++workers_) std::thread([this] { serve(); }).detach();
        } catch (const std::exception&) {  // no thread or no memory to be had: those there are do the work
        }
    }

    void serve() {
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            const auto job = std::find_if(jobs_.begin(), jobs_.end(), [](const Job* job) { return job->wants_more(); });
            if (job == jobs_.end()) {
                work_.wait(lock);
            } else {
                take_part(**job, lock);
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable work_, finished_;
    std::vector<Job*> jobs_;
    size_t workers_ = 0;
};

// Never destroyed: the threads wait on it until the process ends. A child of a fork has none of them and begins anew,
// whatever state the mutex was in; its handler only clears a pointer, since little else is safe there. Registered when
// the module is loaded: a fork in the middle of a first use would leave a local static half initialised for ever.
std::atomic<Workers*> workers = nullptr;
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] { workers = nullptr; });

Workers& shared_workers() {
    Workers* present = workers;
    if (present == nullptr) {
        Workers* const made = new Workers;
        if (workers.compare_exchange_strong(present, made)) return *made;
        delete made;  // another thread was first
    }
    return *present;
}

}  // namespace

void run_parts(size_t parts, size_t threads, void (*run)(const void* body, size_t slot, size_t part),
               const void* body) {
    Job job = {parts, threads, run, body};
    shared_workers().run(job);
}

}  // namespace spinert
