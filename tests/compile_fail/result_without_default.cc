// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: default_initializable
#include "vmdk/core/result.hpp"

struct no_default {
  explicit no_default(int);
};

vmdk::result<no_default> nothing();
bool ask() { return nothing().ok(); }
