// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "arguments.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/layout/sparse.hpp"

namespace vmdk::cli {

/// A region; what cannot be known yet is null.
[[nodiscard]] nlohmann::ordered_json region_json(const char* name,
                                                 const nlohmann::ordered_json& first_sector,
                                                 const nlohmann::ordered_json& sectors);
[[nodiscard]] nlohmann::ordered_json region_json(const char* name, const region& place);

/// Everything of a sparse file, in order. How many sectors of grains there are may be null.
[[nodiscard]] nlohmann::ordered_json regions_json(const sparse_layout& plan,
                                                  const nlohmann::ordered_json& grain_sectors);

[[nodiscard]] nlohmann::ordered_json size_or_null(const result<std::uint64_t>& size);

/// The grain size that was asked for, or the usual one.
[[nodiscard]] std::uint32_t grain_sectors_of(const layout_arguments& from) noexcept;

/// Throws what a layout that failed means for --capacity.
[[noreturn]] void fail_capacity(const layout_arguments& from, const failure& why);

/// Throws what more stored grains than these mean for --stored.
[[noreturn]] void fail_stored(const layout_arguments& from, const failure& why,
                              std::uint64_t grains);

}  // namespace vmdk::cli
