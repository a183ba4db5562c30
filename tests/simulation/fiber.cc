#undef _FORTIFY_SOURCE  // Its longjmp goes up one stack and nowhere else.
#include "tests/simulation/fiber.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <utility>
#include <vector>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace aisle::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackSize = 2 << 20;
#else
constexpr size_t kStackSize = 512 << 10;
#endif
constexpr size_t kGuardSize = 4096;

// Below it lies a page that nobody may touch: a stack that is too small shows at once.
char* MapStack() {
  void* const memory =
      ::mmap(nullptr, kGuardSize + kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  AISLE_CHECK(memory != MAP_FAILED && ::mprotect(memory, kGuardSize, PROT_NONE) == 0);
  return static_cast<char*>(memory) + kGuardSize;
}

void MakeContext(ucontext_t& context, char* stack, void (*run)()) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = kStackSize;
  context.uc_link = nullptr;
  makecontext(&context, run, 0);
}

// A stack that is entered from outside and left from within.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// The sanitizers know a stack by its context: each body has one of its own.
class Strand {
 public:
  void Begin(void (*run)()) {
    MakeContext(own_, stack_, run);
#if defined(__SANITIZE_ADDRESS__)
    fake_stack_ = nullptr;
#endif
#if defined(__SANITIZE_THREAD__)
    tsan_own_ = __tsan_create_fiber(0);
#endif
  }
  void End() {
#if defined(__SANITIZE_THREAD__)
    __tsan_destroy_fiber(tsan_own_);
#endif
  }
  void Enter() {
#if defined(__SANITIZE_THREAD__)
    tsan_back_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_own_, 0);
#endif
#if defined(__SANITIZE_ADDRESS__)
    void* save = nullptr;
    __sanitizer_start_switch_fiber(&save, stack_, kStackSize);
#endif
    swapcontext(&back_, &own_);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(save, nullptr, nullptr);
#endif
  }
  void Leave([[maybe_unused]] bool for_good) {
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(tsan_back_, 0);
#endif
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, back_bottom_, back_size_);
#endif
    swapcontext(&own_, &back_);
    Arrived();
  }
  void Arrived() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake_stack_, &back_bottom_, &back_size_);
#endif
  }

 private:
  char* stack_ = MapStack();
  ucontext_t own_{};
  ucontext_t back_{};
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack_ = nullptr;
  const void* back_bottom_ = nullptr;
  size_t back_size_ = 0;
#endif
#if defined(__SANITIZE_THREAD__)
  void* tsan_own_ = nullptr;
  void* tsan_back_ = nullptr;
#endif
};
#else
// swapcontext asks the kernel for the mask of signals, each time. So a context begins the stack and no more, and a body
// that has ended leaves it to the next one.
class Strand {
 public:
  void Begin(void (*run)()) { run_ = run; }
  void End() {}
  void Enter() {
    if (_setjmp(back_) != 0) return;
    if (begun_) _longjmp(own_, 1);
    begun_ = true;
    ucontext_t context{};
    MakeContext(context, stack_, run_);
    setcontext(&context);
  }
  void Leave(bool /*for_good*/) {
    if (_setjmp(own_) == 0) _longjmp(back_, 1);
  }
  void Arrived() {}

 private:
  char* stack_ = MapStack();
  jmp_buf own_{};
  jmp_buf back_{};
  void (*run_)() = nullptr;
  bool begun_ = false;
};
#endif

// Strands are used again: a world begins thousands of fibers, and has a few at a time.
class StrandPool {
 public:
  Strand* Take() {
    if (free_.empty()) free_.push_back(new Strand);
    Strand* const strand = free_.back();
    free_.pop_back();
    return strand;
  }
  void Give(Strand* strand) { free_.push_back(strand); }

 private:
  std::vector<Strand*> free_;
};
StrandPool& Strands() {
  static auto* const pool = new StrandPool;
  return *pool;
}

Fiber* current = nullptr;

}  // namespace

struct Fiber::State {
  std::function<void()> body;
  Strand* strand = nullptr;  // While it has begun and isn't done.
  bool done = false;

  // On the strand: whichever body it was entered for, one after another.
  static void Run() {
    for (;;) {
      State& state = *current->state_;
      state.strand->Arrived();
      state.body();
      state.body = nullptr;  // What it held goes now, on its own stack.
      state.done = true;
      state.strand->Leave(true);
    }
  }
};

Fiber::Fiber(std::function<void()> body) : state_(std::make_unique<State>()) { state_->body = std::move(body); }

Fiber::~Fiber() { AISLE_CHECK(state_->strand == nullptr, "a fiber is destroyed in the middle of its work"); }

bool Fiber::done() const { return state_->done; }

Fiber* Fiber::Current() { return current; }

void Fiber::Resume() {
  AISLE_CHECK(current == nullptr && !state_->done);
  if (state_->strand == nullptr) {
    state_->strand = Strands().Take();
    state_->strand->Begin(&State::Run);
  }
  current = this;
  state_->strand->Enter();
  current = nullptr;
  if (!state_->done) return;
  state_->strand->End();
  Strands().Give(std::exchange(state_->strand, nullptr));
}

void Fiber::Suspend() {
  AISLE_CHECK(current != nullptr, "nothing to suspend: no fiber runs");
  current->state_->strand->Leave(false);
}

}  // namespace aisle::simulation
