# Finds or builds what Pith links: FlatBuffers headers, and (later) XNNPACK with its companions.
find_program(PITH_FLATC flatc REQUIRED)
find_package(Threads REQUIRED)
