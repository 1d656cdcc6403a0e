// The native side of `npm run bench -- kernels`: the kernels of cpp-kernels/src over SSE4.2 (or what else it is compiled for),
// in a process that does on demand what the benchmark does in WebAssembly: the same bytes at the same places, the same calls.
//
// One line in, one line out:
//   put AT HEX            bytes into the arena                                    ok
//   get AT BYTES          bytes of the arena                                      HEX
//   time NAME COUNT ARG.. calls a kernel COUNT times; whole numbers, pNUMBER a    ANSWER NANOSECONDS
//                         place in the arena, dNUMBER a double
//   simd                  how fftw was built; empty where there is none           TEXT
#include "library.cpp"
#include "fftw.h"
#ifdef __AVX2__
#include "limit.h"
#endif
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

alignas(4096) unsigned char arena[1 << 24];

using Args = std::vector<std::string>;

template <class T> struct Argument {
  static T of(const std::string &text) { return static_cast<T>(std::strtoll(text.c_str(), nullptr, 10)); }
};
template <> struct Argument<double> {
  static double of(const std::string &text) { return std::strtod(text.c_str() + 1, nullptr); }
};
template <class T> struct Argument<T *> {
  static T *of(const std::string &text) { return reinterpret_cast<T *>(arena + std::strtoull(text.c_str() + 1, nullptr, 10)); }
};

// The arguments are read once, then the clock runs.
struct Timed {
  unsigned long long answer;
  long long nanoseconds;
};

template <class R, class... A, size_t... I>
Timed timed(R (*kernel)(A...), uint32_t count, const Args &args, std::index_sequence<I...>) {
  std::tuple<A...> values{Argument<A>::of(args.at(I))...};
  R answer{};
  auto begin = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < count; i++) answer = kernel(std::get<I>(values)...);
  auto end = std::chrono::steady_clock::now();
  return {static_cast<unsigned long long>(answer), std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count()};
}

using Entry = Timed (*)(uint32_t, const Args &);
template <auto kernel> struct EntryOf;
template <class R, class... A, R (*kernel)(A...)> struct EntryOf<kernel> {
  static Timed run(uint32_t count, const Args &args) {
    // Through a pointer that the compiler does not know, as through an export.
    static R (*volatile held)(A...) = kernel;
    return timed(held, count, args, std::index_sequence_for<A...>());
  }
};

#define KERNEL(name) {#name, EntryOf<&sluice_kernel_##name>::run}
const std::unordered_map<std::string, Entry> entries = {
    KERNEL(average_bytes), KERNEL(average_init), KERNEL(average),
    KERNEL(biquad_bytes), KERNEL(biquad_init), KERNEL(biquad),
    KERNEL(clamp), KERNEL(crc16_modbus), KERNEL(crc32c), KERNEL(decode),
    KERNEL(ewma_bytes), KERNEL(ewma_init), KERNEL(ewma),
    KERNEL(fft_bytes), KERNEL(fft_init), KERNEL(fft),
    KERNEL(fir_bytes), KERNEL(fir_init), KERNEL(fir),
    KERNEL(goertzel), KERNEL(kurtosis), KERNEL(multiply), KERNEL(peak), KERNEL(power), KERNEL(resample_bytes),
    KERNEL(resample_init), KERNEL(resample), KERNEL(rms), KERNEL(scale), KERNEL(spread),
    {"fftw", EntryOf<&fftw_run>::run},
#ifdef __AVX2__
    {"limit_fir", EntryOf<&limit_fir>::run}, {"limit_rms", EntryOf<&limit_rms>::run},
    {"limit_biquad", EntryOf<&limit_biquad>::run}, {"limit_goertzel", EntryOf<&limit_goertzel>::run},
    {"limit_decode", EntryOf<&limit_decode>::run}, {"limit_crc32c", EntryOf<&limit_crc32c>::run},
#endif
};

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

void put(uint64_t at, const std::string &hex) {
  for (size_t i = 0; i + 1 < hex.size(); i += 2) arena[at + i / 2] = static_cast<unsigned char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
}

void get(uint64_t at, uint64_t bytes) {
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes);
  for (uint64_t i = 0; i < bytes; i++) {
    hex += digits[arena[at + i] >> 4];
    hex += digits[arena[at + i] & 15];
  }
  std::puts(hex.c_str());
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb, name, arg;
    words >> verb;
    if (verb == "put") {
      uint64_t at;
      words >> at >> arg;
      put(at, arg);
      std::puts("ok");
    } else if (verb == "get") {
      uint64_t at, bytes;
      words >> at >> bytes;
      get(at, bytes);
    } else if (verb == "simd") {
      std::puts(fftw_version_text());
    } else {
      uint32_t count;
      Args args;
      words >> name >> count;
      while (words >> arg) args.push_back(arg);
      auto entry = entries.find(name);
      if (entry == entries.end()) return std::fprintf(stderr, "no kernel is called %s\n", name.c_str()), 1;
      Timed result = entry->second(count, args);
      std::printf("%llu %lld\n", result.answer, result.nanoseconds);
    }
    std::fflush(stdout);
  }
}
