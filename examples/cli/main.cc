// SPDX-License-Identifier: BSD-2-Clause
#include <exception>
#include <new>
#include <variant>

#include "arguments.hpp"
#include "commands.hpp"
#include "error.hpp"
#include "signals.hpp"
#include "text.hpp"
#include "windows_console.hpp"

namespace vmdk::cli {
namespace {

int run(const print_arguments& told) {
  print(told.text);
  return status_done;
}
int run(const convert_arguments& told) { return run_convert(told); }
int run(const info_arguments& told) { return run_info(told); }
int run(const layout_arguments& told) { return run_layout(told); }
int run(const compare_arguments& told) { return run_compare(told); }
int run(const check_arguments& told) { return run_check(told); }
int run(const repair_arguments& told) { return run_repair(told); }
int run(const map_arguments& told) { return run_map(told); }
int run(const create_arguments& told) { return run_create(told); }

}  // namespace
}  // namespace vmdk::cli

int main(int argc, char** argv) {
  using namespace vmdk::cli;
  set_up_signals();
#if defined(_WIN32)
  windows_console console;
  argc = console.argument_count();
  argv = console.arguments();
#endif
  try {
    return std::visit([](const auto& told) { return run(told); }, read_arguments(argc, argv));
  } catch (const error& why) {
    print_note(why.subject(), why.text());
  } catch (const std::bad_alloc&) {
    print_note("", "there is not enough memory");
  } catch (const std::exception& why) {
    print_note("", why.what());
  }
  return status_error;
}
