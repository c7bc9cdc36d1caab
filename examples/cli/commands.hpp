// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "arguments.hpp"

namespace vmdk::cli {

/// The commands, each in a file of its own. They return the program's exit status, or throw an
/// error.
int run_convert(const convert_arguments& told);
int run_info(const info_arguments& told);
int run_layout(const layout_arguments& told);
int run_compare(const compare_arguments& told);
int run_check(const check_arguments& told);
int run_repair(const repair_arguments& told);
int run_map(const map_arguments& told);
int run_create(const create_arguments& told);

}  // namespace vmdk::cli
