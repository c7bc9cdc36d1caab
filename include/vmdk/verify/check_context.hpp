// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/core/bytes.hpp"
#include "vmdk/verify/check_memory.hpp"

namespace vmdk::detail {

/// What every part of a check is handed on.
template <class Log, class D>
struct check_context {
  Log& log;
  check_state& state;
  D& decoder;
  byte_span room;  ///< What is left of it.
};

}  // namespace vmdk::detail
