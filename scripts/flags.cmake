# Compiler and linker flags, each one tried before it is used; the table of what was taken is
# printed at configure time. The built binary is looked at by tests/hardening.bats.
include(CheckCCompilerFlag)
include(CheckPIESupported)
include(CheckLinkerFlag)

add_library(sockcat_flags INTERFACE)
target_compile_definitions(sockcat_flags INTERFACE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)

set(sockcat_table "")

function(sockcat_compile_flag flag)
    string(MAKE_C_IDENTIFIER "have${flag}" have)
    # clang takes unknown warnings silently without this
    set(CMAKE_REQUIRED_FLAGS "-Werror")
    check_c_compiler_flag("${flag}" ${have})
    if(${have})
        target_compile_options(sockcat_flags INTERFACE "${flag}")
        set(sockcat_table "${sockcat_table}  yes ${flag}\n" PARENT_SCOPE)
    else()
        set(sockcat_table "${sockcat_table}  NO  ${flag}\n" PARENT_SCOPE)
    endif()
endfunction()

function(sockcat_link_flag flag)
    string(MAKE_C_IDENTIFIER "have_link${flag}" have)
    check_linker_flag(C "${flag}" ${have})
    if(${have})
        target_link_options(sockcat_flags INTERFACE "${flag}")
        set(sockcat_table "${sockcat_table}  yes ${flag} (link)\n" PARENT_SCOPE)
    else()
        set(sockcat_table "${sockcat_table}  NO  ${flag} (link)\n" PARENT_SCOPE)
    endif()
endfunction()

foreach(flag
        -Wall -Wextra -Wpedantic -Wformat=2 -Wconversion -Wsign-conversion -Wimplicit-fallthrough
        -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wshadow
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wswitch-enum
        -Werror=implicit-function-declaration
        -Wduplicated-cond -Wlogical-op -Wjump-misses-init -Wtrampolines
        -fno-common -fno-delete-null-pointer-checks -fno-strict-overflow
        "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
    sockcat_compile_flag("${flag}")
endforeach()

if(SOCKCAT_WERROR)
    target_compile_options(sockcat_flags INTERFACE -Werror)
endif()

if(SOCKCAT_SANITIZE)
    # No _FORTIFY_SOURCE and no automatic initialisation here: they hide from the sanitizers what
    # these are to find.
    target_compile_options(sockcat_flags INTERFACE -fsanitize=${SOCKCAT_SANITIZE}
        -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    target_link_options(sockcat_flags INTERFACE -fsanitize=${SOCKCAT_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(sockcat_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    foreach(flag
            -fstack-protector-strong -fstack-clash-protection
            -fcf-protection=full -mbranch-protection=standard
            -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr -fstrict-flex-arrays=3)
        sockcat_compile_flag("${flag}")
    endforeach()
    foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen -Wl,--as-needed)
        sockcat_link_flag("${flag}")
    endforeach()
endif()

check_pie_supported(OUTPUT_VARIABLE sockcat_pie LANGUAGES C)
if(NOT CMAKE_C_LINK_PIE_SUPPORTED)
    set(sockcat_table "${sockcat_table}  NO  PIE: ${sockcat_pie}\n")
endif()

message(STATUS "Compiler and linker flags (${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}):\n"
    "${sockcat_table}")
