// Byte sources for tests, and a store to read them into.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store-agent/ingest/ingest.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {

// Gives a text in pieces of the given sizes, the last size over and over.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text, std::vector<size_t> pieces = {1 << 20})
      : text_(std::move(text)), pieces_(std::move(pieces)) {}

  StatusOr<size_t> Read(std::span<char> into) override {
    const size_t piece = std::max<size_t>(1, pieces_[std::min(turn_++, pieces_.size() - 1)]);
    const size_t size = std::min({into.size(), piece, text_.size() - at_});
    std::copy_n(text_.data() + at_, size, into.data());
    at_ += size;
    return size;
  }

 private:
  std::string text_;
  std::vector<size_t> pieces_;
  size_t turn_ = 0;
  size_t at_ = 0;
};

// `head`, then `line` so many times, without holding it all.
class RepeatingSource final : public ByteSource {
 public:
  RepeatingSource(std::string head, std::string line, uint64_t times, std::string tail = "")
      : now_(std::move(head)), line_(std::move(line)), times_(times), tail_(std::move(tail)) {}

  StatusOr<size_t> Read(std::span<char> into) override {
    while (at_ == now_.size()) {
      if (times_ == 0 && tail_.empty()) return size_t{0};
      now_ = times_ > 0 ? line_ : std::exchange(tail_, "");
      times_ -= times_ > 0 ? 1 : 0;
      at_ = 0;
    }
    const size_t size = std::min(into.size(), now_.size() - at_);
    std::copy_n(now_.data() + at_, size, into.data());
    at_ += size;
    return size;
  }

 private:
  std::string now_;
  std::string line_;
  uint64_t times_;
  std::string tail_;
  size_t at_ = 0;
};

inline std::string Gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// A store with the given tables in a folder of its own.
class StoreFixture {
 public:
  explicit StoreFixture(std::string_view tables) { Open(tables, folder_.File("store")); }
  StoreFixture(std::string_view tables, const std::string& folder) { Open(tables, folder); }

  TableStore& operator*() { return *store_; }
  TableStore* operator->() { return store_.get(); }
  const TemporaryFolder& folder() const { return folder_; }

  IngestReport Read(std::string_view table, ByteSource& source, const IngestOptions& options = {}) {
    StatusOr<IngestReport> report = Ingest(*store_, *TableName::Parse(table), source, "test.csv", options);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : IngestReport();
  }
  IngestReport Read(std::string_view table, std::string_view text) {
    TextSource source{std::string(text)};
    return Read(table, source);
  }

 private:
  void Open(std::string_view tables, const std::string& folder) {
    StatusOr<Schema> schema = Schema::Parse(tables);
    EXPECT_TRUE(schema.ok()) << schema.status();
    std::filesystem::create_directories(folder);
    StatusOr<std::unique_ptr<TableStore>> store = TableStore::Open(folder, *schema, random_);
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  TemporaryFolder folder_;
  SecureRandom random_;
  std::unique_ptr<TableStore> store_;
};

}  // namespace aisle
