// Runs the built `aisle` as a user would, and a folder that cleans up after itself.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace aisle::cli {

struct Ran {
  int code = -1;  // The exit code; 128 + n if signal n ended it.
  std::string out;
  std::string error;
};

// With exactly this environment beside PATH and TMPDIR.
Ran RunAisle(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {});
Ran RunProgram(const std::string& program, const std::vector<std::string>& arguments,
               const std::map<std::string, std::string>& environment = {});

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string ReadAll(const std::string& path);
void Write(const std::string& path, const std::string& content);

}  // namespace aisle::cli
