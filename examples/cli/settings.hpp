// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "vmdk/writer/options.hpp"

namespace vmdk::cli {

/// What `-o KEY=VALUE` said. Keeps the texts that the options point to, so it stays where it is.
class settings {
 public:
  /// Reads them all. Throws an error for a key that is not known, a value that cannot be, and a key
  /// given twice.
  explicit settings(const std::vector<std::string>& texts);
  settings(const settings&) = delete;
  settings& operator=(const settings&) = delete;

  /// The options, but for what is no setting; the extent's name is empty where none was given.
  [[nodiscard]] write_options options() const noexcept;

  [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
  [[nodiscard]] bool has(std::string_view key) const noexcept;

  /// The `-o KEY` that an errc::option_invalid of a writer is about.
  [[nodiscard]] std::string culprit(const failure& why) const;

 private:
  void read(const std::string& key, const std::string& value);

  struct ddb_line {
    std::string key;
    std::string value;
  };

  write_options options_{};
  std::string name_;
  std::string uuid_;
  std::vector<ddb_line> lines_;
  std::vector<ddb_entry> entries_;
  std::vector<std::string> keys_;
};

}  // namespace vmdk::cli
