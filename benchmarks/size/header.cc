// SPDX-License-Identifier: BSD-2-Clause
// Which rule a header breaks, of all that can be told by the header alone.
#include "vmdk/format/sparse_header_check.hpp"

extern "C" vmdk::errc broken_rule(const vmdk::sparse_extent_header& header,
                                  std::uint64_t file_bytes) {
  return vmdk::validate(header, file_bytes, vmdk::strictness::tolerant).code;
}
