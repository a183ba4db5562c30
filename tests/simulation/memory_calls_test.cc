// Memory is nobody else's while it is somebody's, and keeps what is written to it.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/random.h"

namespace aisle::simulation {
namespace {

struct Piece {
  char* memory;
  size_t size;
  char filled_with;
};

bool IsIntact(const Piece& piece) {
  return std::all_of(piece.memory, piece.memory + piece.size, [&](char byte) { return byte == piece.filled_with; });
}

// Pieces of every size that matters, taken and given back in any order.
void TakeAndGive(uint64_t seed) {
  AesCtrStream random(SecretBytes(32), "memory/" + std::to_string(seed));
  std::vector<Piece> held;
  for (int step = 0; step < 20'000; ++step) {
    if (held.size() < 200 || random.Below(2) == 0) {
      const size_t size = random.Below(16) == 0 ? random.Below(20'000) : random.Below(300);
      auto* const memory = static_cast<char*>(::operator new(size));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(memory) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0);
      held.push_back({memory, size, static_cast<char>(step)});
      std::memset(memory, held.back().filled_with, size);
    } else {
      std::swap(held[random.Below(held.size())], held.back());
      ASSERT_TRUE(IsIntact(held.back()));
      ::operator delete(held.back().memory);
      held.pop_back();
    }
  }
  for (const Piece& piece : held) {
    ASSERT_TRUE(IsIntact(piece));
    ::operator delete(piece.memory);
  }
}

TEST(MemoryCallsTest, PiecesKeepWhatIsWrittenToThem) { TakeAndGive(1); }

TEST(MemoryCallsTest, ThreadsHaveTheirOwn) {
  std::thread other(TakeAndGive, 2);
  TakeAndGive(3);
  other.join();
}

TEST(MemoryCallsTest, OpensslsGrowsWithWhatIsInIt) {
  std::string expected = "a";
  auto* memory = static_cast<char*>(OPENSSL_malloc(expected.size()));
  *memory = 'a';
  while (expected.size() < 20'000) {
    const size_t before = expected.size();
    expected.resize(before * 3 / 2 + 1, static_cast<char>('a' + before % 26));
    memory = static_cast<char*>(OPENSSL_realloc(memory, expected.size()));
    std::memcpy(memory + before, expected.data() + before, expected.size() - before);
    ASSERT_EQ(std::string_view(memory, expected.size()), expected);
  }
  OPENSSL_free(memory);
}

}  // namespace
}  // namespace aisle::simulation
