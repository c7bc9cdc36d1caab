// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

namespace vmdk::cli {

/// What `vmdk --help` prints.
extern const std::string_view help_text;

/// What `vmdk COMMAND --help` prints; `help_text` for a command that does not exist.
[[nodiscard]] std::string_view help_for(std::string_view command) noexcept;

}  // namespace vmdk::cli
