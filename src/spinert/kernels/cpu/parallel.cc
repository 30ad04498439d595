#include "parallel.h"

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace spinert {
namespace {

struct Job {
    size_t parts;
    void (*run)(const void* body, size_t part);
    const void* body;
    size_t begun = 0, done = 0;
};

class Workers {
public:
    void run(Job& job) {
        std::unique_lock<std::mutex> lock(mutex_);
        jobs_.push_back(&job);
        grow_to(job.parts - 1);
        work_.notify_all();
        while (job.begun < job.parts) run_one(job, lock);
        finished_.wait(lock, [&] { return job.done == job.parts; });
        jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
    }

private:
    void run_one(Job& job, std::unique_lock<std::mutex>& lock) {
        const size_t part = job.begun++;
        lock.unlock();
        job.run(job.body, part);
        lock.lock();
        if (++job.done == job.parts) finished_.notify_all();
    }

    void grow_to(size_t workers) {
        try {
            for (; workers_ < workers; ++workers_) std::thread([this] { serve(); }).detach();
        } catch (const std::system_error&) {  // no more threads to be had: those there are do the work
        }
    }

    void serve() {
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            const auto waiting = std::find_if(jobs_.begin(), jobs_.end(), [](Job* job) { return job->begun < job->parts; });
            if (waiting == jobs_.end()) {
                work_.wait(lock);
            } else {
                run_one(**waiting, lock);
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable work_, finished_;
    std::vector<Job*> jobs_;
    size_t workers_ = 0;
};

// Never destroyed: the threads wait on it until the process ends. After a fork the child has none of them and begins
// anew, whatever state the mutex was in.
Workers* workers = nullptr;

}  // namespace

void run_parts(size_t parts, void (*run)(const void* body, size_t part), const void* body) {
    static const int registered = [] {
        workers = new Workers;
        return pthread_atfork(nullptr, nullptr, [] { workers = new Workers; });
    }();
    static_cast<void>(registered);
    Job job = {parts, run, body};
    workers->run(job);
}

}  // namespace spinert
