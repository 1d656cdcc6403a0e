// FFTW in single precision, where the system has it: found when the program runs, so that nothing has to be there to compile.
#ifndef FFTW_H
#define FFTW_H
#include <dlfcn.h>
#include <map>
#include <vector>

struct Fftw {
  // fftwf_plan_dft_r2c_1d(samples, in, out, flags), fftwf_execute_dft_r2c(plan, in, out)
  void *(*plan)(int, float *, float *, unsigned) = nullptr;
  void (*run)(void *, float *, float *) = nullptr;
  const char *version = "";
  Fftw() {
    void *library = dlopen("libfftw3f.so.3", RTLD_NOW);
    if (library == nullptr) return;
    plan = reinterpret_cast<decltype(plan)>(dlsym(library, "fftwf_plan_dft_r2c_1d"));
    run = reinterpret_cast<decltype(run)>(dlsym(library, "fftwf_execute_dft_r2c"));
    if (auto *text = static_cast<const char *>(dlsym(library, "fftwf_version"))) version = text;
  }
};

static inline Fftw &fftw() {
  static Fftw library;
  return library;
}

// How the library names itself and the instructions that it was built for, such as "fftw-3.3.10-sse2-avx".
static inline const char *fftw_version_text() { return fftw().plan == nullptr ? "" : fftw().version; }

// A plan that has been measured (FFTW_MEASURE, 0), kept for the next call. Planning writes into the buffers.
static int fftw_run(uint32_t count, float *in, float *out) {
  static std::map<uint32_t, void *> plans;
  if (fftw().plan == nullptr) return SLUICE_KERNEL_ENOSYS;
  void *&plan = plans[count];
  if (plan == nullptr) {
    std::vector<float> kept(in, in + count);
    plan = fftw().plan(static_cast<int>(count), in, out, 0);
    __builtin_memcpy(in, kept.data(), count * 4);
  }
  fftw().run(plan, in, out);
  return SLUICE_KERNEL_OK;
}

#endif
