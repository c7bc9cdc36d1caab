// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/thread_factory.hpp"

#include <catch2/catch.hpp>

namespace thread_factory_test {
using namespace vmdk;

TEST_CASE("there is at least one usual thread") { CHECK(usual_threads() >= 1); }

}  // namespace thread_factory_test
