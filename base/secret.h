// Bytes that wipe themselves and can't be printed: keys, seeds, one-time codes, plain updates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aisle {

// Overwrites memory in a way that the optimiser keeps (OPENSSL_cleanse).
void Wipe(void* data, size_t size);

// An owned secret of fixed size. Move-only; moving leaves the source empty; destruction wipes.
// There is no operator<<, no fmt formatter and no comparison: reveal it where it is used, for as long as it is used.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(size_t size) : bytes_(size) {}  // Zero bytes.
  static SecretBytes CopyOf(std::string_view bytes);
  ~SecretBytes() { Clear(); }

  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  SecretBytes Clone() const;
  // Another size, its bytes unspecified; memory is used again where it is large enough, and nothing is left unwiped.
  void Resize(size_t size);
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::string_view Reveal() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  std::span<uint8_t> Mutable() { return bytes_; }
  void Clear();

 private:
  std::vector<uint8_t> bytes_;
};

// Memory that is wiped when it is given back, so that a std::vector may grow without leaving copies behind.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename U>
  explicit WipingAllocator(const WipingAllocator<U>&) {}
  T* allocate(size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, size_t count) {
    Wipe(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const { return true; }
};

// A vector of numbers that must not outlive its use: wiped on destruction, move-only, unprintable.
template <typename T>
class SecretVector {
 public:
  SecretVector() = default;
  explicit SecretVector(std::vector<T> values) : values_(std::move(values)) {}
  explicit SecretVector(size_t size) : values_(size) {}
  ~SecretVector() { Clear(); }
  SecretVector(SecretVector&& other) noexcept : values_(std::move(other.values_)) {}
  SecretVector& operator=(SecretVector&& other) noexcept {
    if (this != &other) {
      Clear();
      values_ = std::move(other.values_);
    }
    return *this;
  }
  SecretVector(const SecretVector&) = delete;
  SecretVector& operator=(const SecretVector&) = delete;

  size_t size() const { return values_.size(); }
  std::span<const T> Reveal() const { return values_; }
  std::span<T> Mutable() { return values_; }
  void Clear() {
    Wipe(values_.data(), values_.size() * sizeof(T));
    values_.clear();
  }

 private:
  std::vector<T> values_;
};

}  // namespace aisle
