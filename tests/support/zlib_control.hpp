// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <zlib.h>

#include <cstddef>

#include "vmdk/codec/zlib.hpp"

namespace testing_support {

/// zlib as a control, driven so that its verdict is a Decoder's: one call with the whole input and
/// exactly the expected room for output; good is Z_STREAM_END with all the input used and all the
/// room filled.
class zlib_control {
 public:
  zlib_control() { inflateInit(&stream_); }
  ~zlib_control() { inflateEnd(&stream_); }
  zlib_control(const zlib_control&) = delete;
  zlib_control& operator=(const zlib_control&) = delete;

  vmdk::errc decode(vmdk::byte_view in, vmdk::byte_span out) {
    using vmdk::errc;
    inflateReset(&stream_);
    std::byte nothing{};
    stream_.next_in = vmdk::detail::zlib_bytes(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.empty() ? &nothing : out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int code = ::inflate(&stream_, Z_FINISH);
    if (code == Z_NEED_DICT) return errc::stream_dictionary;
    if (code == Z_DATA_ERROR) return vmdk::detail::zlib_data_error(stream_.msg);
    if (code != Z_STREAM_END) {
      return stream_.avail_in == 0 ? errc::stream_truncated : errc::stream_output_overrun;
    }
    if (stream_.avail_in != 0) return errc::stream_input_left;
    return stream_.avail_out != 0 ? errc::stream_output_short : errc::none;
  }

  /// How much of the room the last stream filled.
  std::size_t expanded_bytes() const { return stream_.total_out; }

 private:
  z_stream stream_{};
};

}  // namespace testing_support
