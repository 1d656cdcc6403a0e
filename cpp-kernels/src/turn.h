// Cosine and sine of parts of a turn, in doubles and without libm: there is none, and each machine's would be another.
#ifndef TURN_H
#define TURN_H

struct Turn {
  double cos, sin;
};

// Taylor's series: for |x| up to an eighth of a turn the first term left out is below 2^-56.
static inline Turn near_zero(double x) {
  double square = x * x, cos = 0, sin = 0;
  static const double even[] = {1, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600, -1.0 / 87178291200.0,
                                1.0 / 20922789888000.0};
  static const double odd[] = {1, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800.0, -1.0 / 1307674368000.0,
                               1.0 / 355687428096000.0};
  for (int i = 8; i >= 0; i--) {
    cos = cos * square + even[i];
    sin = sin * square + odd[i];
  }
  return {cos, sin * x};
}

// Of 2 pi * turns; |turns| below 2^31. Off by less than 2^-51, and by what `turns` itself is rounded by.
static inline Turn turn_of(double turns) {
  // To the nearest quarter, what is left is at most an eighth.
  double quarters = turns * 4, rounded = static_cast<double>(static_cast<long long>(quarters + (quarters < 0 ? -0.5 : 0.5)));
  Turn rest = near_zero((quarters - rounded) * 1.57079632679489661923);
  switch (static_cast<long long>(rounded) & 3) {
    case 0: return rest;
    case 1: return {-rest.sin, rest.cos};
    case 2: return {-rest.cos, -rest.sin};
    default: return {rest.sin, -rest.cos};
  }
}

#endif
