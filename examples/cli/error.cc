// SPDX-License-Identifier: BSD-2-Clause
#include "error.hpp"

#include <cerrno>
#include <cstring>

#include "vmdk/core/to_string.hpp"
#include "vmdk/core/units.hpp"

namespace vmdk::cli {
namespace {

/// True when `detail` is the errno of a call of the operating system.
bool has_errno(const failure& why) noexcept {
  if (why.detail == 0) return false;
  if (why.from != origin::source && why.from != origin::sink && why.from != origin::files) {
    return false;
  }
  switch (why.code) {
    case errc::read_failed:
    case errc::write_failed:
    case errc::sink_full:
    case errc::file_not_found:
    case errc::file_not_regular:
    case errc::already_exists:
      return true;
    default:
      return false;
  }
}

std::string sentence(const failure& why) {
  if (has_errno(why)) return std::strerror(static_cast<int>(why.detail));
  return std::string(to_string(why.code));
}

}  // namespace

std::string name_of_input(const std::string& path) { return path == "-" ? "standard input" : path; }

std::string name_of_output(const std::string& path) {
  return path == "-" ? "standard output" : path;
}

std::string place_text(std::uint64_t offset) {
  std::string text = "(at byte " + std::to_string(offset);
  if (offset >= sector_bytes) text += ", in sector " + std::to_string(offset / sector_bytes);
  return text + ')';
}

std::string opening_text(const failure& why) {
  if (has_errno(why)) {
    if (why.detail == EEXIST) return "exists already; --force replaces it";
    if (why.detail == ENOENT && why.from == origin::sink) return "there is no such folder";
    if (why.detail == ELOOP && why.from == origin::files) {
      return "is a symbolic link, which is not followed";
    }
    if (why.detail == ENOTSUP) return "cannot be opened on this system";
    // "Illegal seek" would be the system's word for it.
    if (why.detail == ESPIPE) return "is neither a file nor a block device";
  }
  return sentence(why);
}

std::string failure_text(const failure& why) {
  switch (why.from) {
    case origin::source:
    case origin::sink:
    case origin::image:
    case origin::codec:
      return sentence(why) + ' ' + place_text(why.offset);
    default:
      return sentence(why);
  }
}

void fail_opening(const std::string& subject, const failure& why) {
  throw error(subject, opening_text(why));
}

void fail(const std::string& subject, const failure& why) {
  throw error(subject, failure_text(why));
}

}  // namespace vmdk::cli
