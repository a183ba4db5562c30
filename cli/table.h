// Tables for people: columns as wide as their widest cell, numbers to the right, two spaces between.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aisle::cli {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;  // With its unit where it has one: "loss", "up (MiB)".
  Align align = Align::kLeft;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell per column; cells are made printable. Missing cells stay empty.
  Table& Row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  // Ends with a newline. Where a line would pass `width_max` columns, its last cell is cut; 0: never.
  std::string Render(size_t width_max = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// What is known of one thing, a line each: the name, then the value. A value of several lines is indented below itself.
class Facts {
 public:
  Facts& Add(std::string name, std::string_view value);
  Facts& AddIf(bool known, std::string name, std::string_view value);
  std::string Render() const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace aisle::cli
