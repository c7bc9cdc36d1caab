// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/file_sink.hpp"
#include "vmdk/hosted/os.hpp"
#include "vmdk/hosted/os_names.hpp"

namespace vmdk {

/// What to do with an output's name that is taken.
enum class existing_file : std::uint8_t {
  refuse,   ///< errc::already_exists
  replace,  ///< The new file takes its place, and its permissions.
};

namespace detail {

/// A file under a temporary name, and the name in the same folder that it is to have. The folder is
/// its owner's, who hands the same one to each call.
class pending_file {
 public:
  pending_file() noexcept = default;

  /// Creates the temporary file. Errors: errc::already_exists, errc::file_not_regular (something
  /// else than a file has the name), errc::write_failed, errc::sink_full.
  [[nodiscard]] static result<pending_file> create(const os::handle& folder, std::string name,
                                                   existing_file existing) noexcept {
    os::file_status old;
    const int missing = os::get_status(folder, name, old);
    if (missing != 0 && missing != ENOENT) return os::write_error(missing);
    if (missing == 0 && old.kind != file_kind::regular) {
      return os::write_error(os::errno_of_kind(old.kind));
    }
    if (missing == 0 && existing == existing_file::refuse) return os::write_error(EEXIST);

    pending_file pending;
    os::handle file;
    int error = EEXIST;
    for (int attempt = 0; attempt < 100 && error == EEXIST; ++attempt) {
      pending.temporary_name_ = make_temporary_name(name);
      error = os::open_in(folder, pending.temporary_name_, os::access::create, file,
                          missing == 0 ? 0600 : 0666);
    }
    if (error != 0) return os::write_error(error == EEXIST ? EIO : error);
    if (missing == 0) os::take_permissions(file, old);
    pending.final_name_ = std::move(name);
    pending.existing_ = existing;
    result<file_sink> sink = file_sink::over(std::move(file));
    if (!sink) {
      pending.discard(folder);
      return sink.error();
    }
    pending.sink_ = std::move(sink).value();
    return pending;
  }

  [[nodiscard]] file_sink& sink() noexcept { return sink_; }
  [[nodiscard]] const std::string& temporary_name() const noexcept { return temporary_name_; }
  [[nodiscard]] const std::string& final_name() const noexcept { return final_name_; }

  /// Brings the file to the medium and closes it. Errors: those of the sink, an earlier one too.
  failure finish() noexcept {
    if (failure why = sink_.sync()) return why;
    return sink_.close();
  }

  /// Gives a finished file its final name. Errors: errc::already_exists, errc::file_not_regular,
  /// errc::write_failed.
  failure publish(const os::handle& folder) noexcept {
    int error = 0;
    if (existing_ == existing_file::refuse) {
      error = os::rename_new(folder, temporary_name_, final_name_);
    } else {
      // A node that has taken the name meanwhile stays.
      os::file_status old;
      error = os::get_status(folder, final_name_, old);
      if (error == 0 && old.kind != file_kind::regular) {
        return os::write_error(os::errno_of_kind(old.kind));
      }
      if (error == 0 || error == ENOENT) {
        error = os::rename_over(folder, temporary_name_, final_name_);
      }
    }
    if (error != 0) return os::write_error(error);
    temporary_name_.clear();
    return no_failure;
  }

  /// Removes the file while it has its temporary name.
  void discard(const os::handle& folder) noexcept {
    sink_ = file_sink();
    if (!temporary_name_.empty()) (void)os::remove_name(folder, temporary_name_);
    temporary_name_.clear();
  }

 private:
  /// Makes `.NAME.XXXXXXXX.tmp`, not longer than a name may be. Whether it is taken, the system
  /// knows.
  [[nodiscard]] static std::string make_temporary_name(std::string_view name) noexcept {
    constexpr std::size_t longest_part = 240;
    static std::atomic<std::uint32_t> calls{0};
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    auto mixed =
        (static_cast<std::uint64_t>(now) ^ os::process_number() << 40) * 0x9E3779B97F4A7C15U +
        calls.fetch_add(1) * 0xD1B54A32D192ED03U;
    std::string temporary = ".";
    temporary += name.substr(0, longest_part);
    temporary += '.';
    for (int i = 0; i < 8; ++i) {
      temporary += "0123456789abcdefghijklmnopqrstuv"[mixed >> 59];
      mixed <<= 5;
    }
    return temporary + ".tmp";
  }

  file_sink sink_;
  std::string temporary_name_;
  std::string final_name_;
  existing_file existing_ = existing_file::refuse;
};

}  // namespace detail

}  // namespace vmdk
