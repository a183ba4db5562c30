#include "cli/progress.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

constexpr size_t kBarWidth = 30;
constexpr size_t kWidthWithoutAnswer = 80;  // A terminal that doesn't tell its size.
constexpr absl::Duration kRedrawAfter = absl::Milliseconds(100);

}  // namespace

size_t TerminalWidth(std::FILE* stream) {
  const int fd = ::fileno(stream);
  if (::isatty(fd) == 0) return 0;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kWidthWithoutAnswer;
  return size.ws_col;
}

LiveLine::LiveLine(std::FILE* stream) : stream_(stream), enabled_(TerminalWidth(stream) > 0) {}

void LiveLine::Show(std::string_view text) {
  if (!enabled_) return;
  const size_t width = std::max<size_t>(TerminalWidth(stream_), 2);
  fmt::print(stream_, "\r\x1b[2K{}", CutToWidth(Printable(text), width - 1));
  std::fflush(stream_);
  shown_ = true;
}

void LiveLine::Clear() {
  if (!shown_) return;
  fmt::print(stream_, "\r\x1b[2K");
  std::fflush(stream_);
  shown_ = false;
}

std::string RenderBar(uint64_t done, uint64_t total, size_t width) {
  const double share = total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto filled = static_cast<size_t>(share * static_cast<double>(width));
  return fmt::format("[{}{}] {:3.0f}%", std::string(filled, '#'), std::string(width - filled, '-'), share * 100);
}

void ProgressBar::Show(uint64_t done, uint64_t total) {
  if (!line_.enabled()) return;
  const absl::Time now = absl::Now();
  if (now - drawn_at_ < kRedrawAfter && done < total) return;
  drawn_at_ = now;
  const auto amount = [&](uint64_t count) { return unit_ == Unit::kBytes ? FormatByteCount(count) : CountText(count); };
  if (total == 0) {
    line_.Show(done == 0 ? title_ + " …" : fmt::format("{}  {}", title_, amount(done)));
  } else {
    line_.Show(fmt::format("{}  {}  {} of {}", title_, RenderBar(done, total, kBarWidth), amount(done), amount(total)));
  }
}

}  // namespace aisle::cli
