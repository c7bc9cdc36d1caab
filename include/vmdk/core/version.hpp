// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

namespace vmdk {

/// The version of the library and of its program. The build files take it from this line or are
/// tested to agree with it.
inline constexpr std::string_view library_version = "0.1.0";

}  // namespace vmdk
