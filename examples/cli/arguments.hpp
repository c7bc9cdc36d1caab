// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "disk.hpp"

namespace vmdk::cli {

/// What each command was told. Sizes are read and checked, words that a command looks up in tables
/// of its own are not.

struct convert_arguments {
  input source{};
  std::string destination;            ///< "-" is standard output.
  std::optional<std::string> type{};  ///< Else by the destination's name.
  std::optional<std::uint64_t> grain_bytes{};
  std::vector<std::string> settings{};  ///< Each KEY=VALUE.
  std::optional<unsigned> level{};
  std::optional<unsigned> threads{};
  std::optional<std::string> codec{};
  std::optional<std::string> parent{};  ///< Of a child that holds what differs.
  bool force = false;
  bool verbose = false;
};

struct info_arguments {
  input source{};
  bool json = false;
};

struct layout_arguments {
  std::string type{};
  std::uint64_t capacity_bytes = 0;
  std::optional<std::uint64_t> grain_bytes{};
  std::optional<std::uint64_t> stored_grains{};
  std::vector<std::string> settings{};
  bool json = false;
};

struct compare_arguments {
  input first{};
  input second{};
};

struct check_arguments {
  input source{};
  bool json = false;
};

struct repair_arguments {
  input source{};
  std::optional<std::string> keep{};  ///< Where a copy of the original goes first.
  bool dry_run = false;
  bool json = false;
};

struct map_arguments {
  input source{};
  bool json = false;
};

/// An empty disk, a conversion whose source is `size_bytes` of zeros; or a child that is as its
/// parent.
struct create_arguments {
  convert_arguments image{};
  std::optional<std::uint64_t> size_bytes{};
};

/// Nothing to do but to print this.
struct print_arguments {
  std::string text;
};

using arguments = std::variant<print_arguments, convert_arguments, info_arguments, layout_arguments,
                               compare_arguments, check_arguments, repair_arguments, map_arguments,
                               create_arguments>;

/// Reads the program's arguments. Throws an error.
[[nodiscard]] arguments read_arguments(int argc, char** argv);

}  // namespace vmdk::cli
