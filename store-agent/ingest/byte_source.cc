#include "store-agent/ingest/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <vector>

#include "base/check.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

class FileSource final : public ByteSource {
 public:
  FileSource(FileDescriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  StatusOr<size_t> Read(std::span<char> into) override {
    for (;;) {
      const ssize_t got = ::read(file_.get(), into.data(), into.size());
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return ErrnoStatus(errno, "read", path_);
    }
  }

 private:
  FileDescriptor file_;
  std::string path_;
};

class GzipSource final : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed) : packed_(std::move(packed)), buffer_(64 << 10) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    AISLE_CHECK(inflateInit2(&stream_, kGzipOnly) == Z_OK);
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  StatusOr<size_t> Read(std::span<char> into) override {
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(into.size(), 1 << 30));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room) {
      AISLE_ASSIGN_OR_RETURN(const bool more, HasInput());
      if (!more) return EndOfInput();
      AISLE_RETURN_IF_ERROR(Inflate());
    }
    return static_cast<size_t>(room - stream_.avail_out);
  }

 private:
  StatusOr<bool> HasInput() {
    if (stream_.avail_in > 0) return true;
    AISLE_ASSIGN_OR_RETURN(const size_t got, packed_->Read(buffer_));
    stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_in = static_cast<uInt>(got);
    return got > 0;
  }

  Status Inflate() {
    if (between_members_) {
      inflateReset(&stream_);
      between_members_ = false;
    }
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) between_members_ = true;
    if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) return OkStatus();
    return DataLoss("the gzip data is damaged ({}); send the file again",
                    stream_.msg != nullptr ? stream_.msg : "unknown reason");
  }

  StatusOr<size_t> EndOfInput() const {
    if (between_members_) return size_t{0};
    return DataLoss("the gzip data ends in the middle; send the file again");
  }

  std::unique_ptr<ByteSource> packed_;
  std::vector<char> buffer_;
  z_stream stream_{};
  bool between_members_ = false;  // True once the first member has ended.
};

}  // namespace

StatusOr<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) return InvalidArgument("{} is a symbolic link", path);
  AISLE_ASSIGN_OR_RETURN(FileDescriptor file, OpenFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (::fstat(file.get(), &info) != 0) return ErrnoStatus(errno, "look at", path);
  if (!S_ISREG(info.st_mode)) return InvalidArgument("{} isn't a regular file", path);
  std::unique_ptr<ByteSource> source = std::make_unique<FileSource>(std::move(file), path);
  if (path.ends_with(".gz")) source = std::make_unique<GzipSource>(std::move(source));
  return source;
}

}  // namespace aisle
