// SPDX-License-Identifier: BSD-2-Clause
// The four functions that compilers and the library ask every target for. The build keeps
// the compiler from making them calls of themselves.
#include <cstddef>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t n) {
  auto* d = static_cast<unsigned char*>(to);
  const auto* s = static_cast<const unsigned char*>(from);
  for (; n != 0; --n) *d++ = *s++;
  return to;
}

void* memmove(void* to, const void* from, std::size_t n) {
  auto* d = static_cast<unsigned char*>(to);
  const auto* s = static_cast<const unsigned char*>(from);
  if (d <= s) return memcpy(to, from, n);
  while (n != 0) --n, d[n] = s[n];
  return to;
}

void* memset(void* to, int value, std::size_t n) {
  auto* d = static_cast<unsigned char*>(to);
  for (; n != 0; --n) *d++ = static_cast<unsigned char>(value);
  return to;
}

int memcmp(const void* a, const void* b, std::size_t n) {
  const auto* p = static_cast<const unsigned char*>(a);
  const auto* q = static_cast<const unsigned char*>(b);
  for (; n != 0; --n, ++p, ++q) {
    if (*p != *q) return *p < *q ? -1 : 1;
  }
  return 0;
}

}  // extern "C"
