// A folder for the ledger of one test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace chipgate::test {

// Removed with all that is in it.
class Folder {
 public:
  Folder() {
    // In memory where that is possible: what is tested here is what was written, not what a disk keeps.
    const std::filesystem::path memory = "/dev/shm";
    auto name = (std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path()) /
                "chipgate-ledger-XXXXXX";
    auto text = name.string();
    if (::mkdtemp(text.data()) == nullptr) throw std::runtime_error("no folder for the test");
    path_ = text;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace chipgate::test
