// What a person sees while waiting. Drawn on standard error and only if that is a terminal; in a pipe it is silent.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace aisle::cli {

// Columns of the terminal behind `stream`; 0 if it isn't one.
size_t TerminalWidth(std::FILE* stream);

// One line at the bottom of the terminal that is drawn over and over. Erased when it goes out of scope.
class LiveLine {
 public:
  explicit LiveLine(std::FILE* stream = stderr);
  ~LiveLine() { Clear(); }
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  bool enabled() const { return enabled_; }
  void Show(std::string_view text);
  void Clear();

 private:
  std::FILE* stream_;
  bool enabled_;
  bool shown_ = false;
};

// "uploading weights  [#########-----]  62%  12.4 MiB of 20 MiB".
class ProgressBar {
 public:
  enum class Unit { kBytes, kCount };
  ProgressBar(std::string title, Unit unit, std::FILE* stream = stderr)
      : title_(std::move(title)), unit_(unit), line_(stream) {}

  // `total` 0: not known yet. Cheap: draws at most ten times a second.
  void Show(uint64_t done, uint64_t total);

 private:
  std::string title_;
  Unit unit_;
  LiveLine line_;
  absl::Time drawn_at_ = absl::InfinitePast();
};

// The bar itself, for any width: the part that is done as '#'.
std::string RenderBar(uint64_t done, uint64_t total, size_t width);

}  // namespace aisle::cli
