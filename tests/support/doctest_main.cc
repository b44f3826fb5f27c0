// The one main() of every test program. Both names: doctest derives the first from the second only where its header is read for
// the first time, and that may have been in a precompiled one.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
