// What the kernel counts of a connection.
#pragma once

namespace chipgate::sim {

// Segments with data that have come so far, however few reads they took.
unsigned data_segments_of(int fd);

}  // namespace chipgate::sim
