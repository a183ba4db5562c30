#include "cli/table.h"

#include <algorithm>

#include "cli/text.h"

namespace aisle::cli {
namespace {

constexpr std::string_view kGap = "  ";

std::string Pad(std::string_view cell, size_t width, Align align) {
  const std::string blanks(width - std::min(width, DisplayWidth(cell)), ' ');
  return align == Align::kLeft ? std::string(cell) + blanks : blanks + std::string(cell);
}

void TrimRight(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

Table& Table::Row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
  return *this;
}

std::string Table::Render(size_t width_max) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i]));
    widths.push_back(width);
  }
  const auto render_line = [&](const auto& cell_at) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += kGap;
      line += Pad(cell_at(i), widths[i], columns_[i].align);
    }
    TrimRight(line);
    return (width_max > 0 ? CutToWidth(line, width_max) : line) + "\n";
  };
  std::string text = render_line([&](size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) text += render_line([&](size_t i) { return row[i]; });
  return text;
}

Facts& Facts::Add(std::string name, std::string_view value) {
  lines_.emplace_back(std::move(name), value);
  return *this;
}

Facts& Facts::AddIf(bool known, std::string name, std::string_view value) {
  return known ? Add(std::move(name), value) : *this;
}

std::string Facts::Render() const {
  size_t width = 0;
  for (const auto& [name, value] : lines_) width = std::max(width, DisplayWidth(name));
  std::string text;
  for (const auto& [name, value] : lines_) {
    std::string head = Pad(name, width, Align::kLeft);
    for (size_t start = 0; start <= value.size();) {
      const size_t end = std::min(value.find('\n', start), value.size());
      std::string line = head + std::string(kGap) + Printable(value.substr(start, end - start));
      TrimRight(line);
      text += line + "\n";
      head.assign(width, ' ');
      start = end + 1;
    }
  }
  return text;
}

}  // namespace aisle::cli
