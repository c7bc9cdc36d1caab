// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace vmdk::cli {

/// Turns the JSON document of `vmdk info` into what a person wants to read.
[[nodiscard]] std::string info_text(const nlohmann::ordered_json& json);

}  // namespace vmdk::cli
