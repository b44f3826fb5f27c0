// The most that this processor's dot product of bytes (vpdpbusd on its widest vectors) does in a second: 1 multiply-add
// counts as 2 operations. Without one: what pmaddubsw + pmaddwd + paddd reach on AVX2; 0 elsewhere.
#pragma once

namespace pith::bench {

double dot_peak_gops();  // one thread, CPU time, best of several short runs

}  // namespace pith::bench
