// Boost.JSON, compiled here once; the rest of chipgate includes its declarations only.
#include <boost/json/src.hpp>
