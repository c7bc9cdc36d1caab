// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <vector>

namespace vmdk::cli {

/// What a destination that is to be replaced leaves behind: where its name leads to a disk of
/// several files, those that its descriptor lists and that are named after it as such files are.
/// What else a descriptor may name is not this disk's to lose.
struct old_set {
  std::string folder{};
  std::vector<std::string> names{};  ///< In this folder, without the descriptor's own.
};

/// Looks what a destination has now. Whatever is no disk of several files has no names.
[[nodiscard]] old_set find_old_set(const std::string& destination);

/// Removes those of the files that are regular. What cannot be removed stays.
void remove_old_set(const old_set& old) noexcept;

}  // namespace vmdk::cli
