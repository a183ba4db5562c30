// Memory for everything in this program: operator new and delete, and OpenSSL's own. A world takes and gives back small
// pieces by the million, on one thread; a list of free pieces for each size serves them in a fraction of malloc's time.
// With a sanitizer memory is the sanitizer's.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr size_t kUnit = 16;
constexpr size_t kSmallMax = 4096;
constexpr size_t kSlabSize = size_t{1} << 20;

// Stands before each piece. As large as what new aligns to.
struct alignas(kUnit) Header {
  size_t size;   // Of the piece, without this.
  Header* next;  // While it is free.
};

// Each thread has its own, and keeps what it is given: in a world there is but one.
thread_local std::array<Header*, kSmallMax / kUnit + 1> free_pieces{};
thread_local char* slab = nullptr;
thread_local size_t slab_left = 0;

Header* CutFromSlab(size_t size) {
  const size_t whole = sizeof(Header) + size;
  if (slab_left < whole) {
    slab = static_cast<char*>(std::malloc(kSlabSize));
    slab_left = slab == nullptr ? 0 : kSlabSize;
    if (slab == nullptr) return nullptr;
  }
  auto* const piece = new (slab) Header{.size = size, .next = nullptr};
  slab += whole;
  slab_left -= whole;
  return piece;
}

void* Take(size_t wanted) {
  const size_t size = (wanted + kUnit - 1) / kUnit * kUnit;
  Header* piece = nullptr;
  if (size > kSmallMax) {
    void* const memory = size < wanted ? nullptr : std::malloc(sizeof(Header) + size);
    piece = memory == nullptr ? nullptr : new (memory) Header{.size = size, .next = nullptr};
  } else if (free_pieces[size / kUnit] != nullptr) {
    piece = free_pieces[size / kUnit];
    free_pieces[size / kUnit] = piece->next;
  } else {
    piece = CutFromSlab(size);
  }
  return piece == nullptr ? nullptr : piece + 1;
}

void Give(void* memory) {
  if (memory == nullptr) return;
  Header* const piece = static_cast<Header*>(memory) - 1;
  if (piece->size > kSmallMax) return std::free(piece);
  piece->next = free_pieces[piece->size / kUnit];
  free_pieces[piece->size / kUnit] = piece;
}

void* TakeForOpenssl(size_t size, const char*, int) { return size == 0 ? nullptr : Take(size); }
void GiveByOpenssl(void* memory, const char*, int) { Give(memory); }
void* ChangeForOpenssl(void* memory, size_t size, const char*, int) {
  if (size == 0) {
    Give(memory);
    return nullptr;
  }
  const size_t before = memory == nullptr ? 0 : (static_cast<Header*>(memory) - 1)->size;
  if (size <= before) return memory;
  void* const larger = Take(size);
  if (larger == nullptr) return nullptr;
  if (before > 0) std::memcpy(larger, memory, before);
  Give(memory);
  return larger;
}

// Before anything of OpenSSL's is used, else it stays with malloc.
[[maybe_unused]] const int kTaken = CRYPTO_set_mem_functions(TakeForOpenssl, ChangeForOpenssl, GiveByOpenssl);

}  // namespace

void* operator new(size_t size) {
  void* const memory = Take(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return Take(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return Take(size); }
void operator delete(void* memory) noexcept { Give(memory); }
void operator delete[](void* memory) noexcept { Give(memory); }
void operator delete(void* memory, size_t) noexcept { Give(memory); }
void operator delete[](void* memory, size_t) noexcept { Give(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { Give(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { Give(memory); }

#endif
