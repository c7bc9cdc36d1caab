// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdio>
#include <cstdlib>

namespace fuzzing {

/// Ends the program, having said which promise was broken, unless it holds.
inline void demand(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace fuzzing
