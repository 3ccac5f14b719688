module floe/toolchain/pause

go 1.25.0
